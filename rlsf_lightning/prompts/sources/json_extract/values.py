"""Values of fields: as JSON, as a text may spell them, and the schema that they satisfy."""

from __future__ import annotations

import datetime
import random
import unicodedata
from collections.abc import Callable
from typing import Any, NamedTuple

from rlsf_lightning.prompts.sources._words import CITIES, GOODS, STREETS, person

Json = dict[str, Any]


class Value(NamedTuple):
    """A value that was drawn."""

    json: Any
    text: str
    schema: Json
    #: The parts of a list, each of which may have a line of its own.
    parts: tuple[str, ...] = ()


Draw = Callable[[random.Random], Value]

_MONTHS = "January February March April May June July August September October November December".split()
_NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()


def words(*choices: str) -> Draw:
    """One of some texts, as it stands."""

    def draw(rng: random.Random) -> Value:
        text = rng.choice(choices)
        return Value(text, text, {"type": "string"})

    return draw


def enum(*choices: str) -> Draw:
    """One of some words, which the schema lists; the text may capitalise it."""

    def draw(rng: random.Random) -> Value:
        word = rng.choice(choices)
        spelled = rng.choice([word, word[0].upper() + word[1:]]).replace("_", " ")
        return Value(word, spelled, {"type": "string", "enum": list(choices)})

    return draw


def name(rng: random.Random) -> Value:
    """A person."""
    full = person(rng)
    return Value(full, full, {"type": "string"})


def code(form: str) -> Draw:
    """An identifier: ``9`` is a digit, ``A`` a capital letter, everything else itself."""

    def draw(rng: random.Random) -> Value:
        letters = {"9": "0123456789", "A": "ABCDEFGHKLMNPQRSTUVWXYZ"}
        text = "".join(rng.choice(letters.get(mark, mark)) for mark in form)
        pattern = "".join({"9": "[0-9]", "A": "[A-Z]"}.get(mark, mark) for mark in form)
        return Value(text, text, {"type": "string", **({"pattern": f"^{pattern}$"} if rng.random() < 0.3 else {})})

    return draw


def email(rng: random.Random) -> Value:
    address = mail_address(person(rng), rng)
    return Value(address, address, {"type": "string", **({"format": "email"} if rng.random() < 0.5 else {})})


def mail_address(of: str, rng: random.Random) -> str:
    """An address for a person, in ASCII."""
    plain = unicodedata.normalize("NFKD", of.lower()).encode("ascii", "ignore").decode()
    first, _, last = plain.partition(" ")
    local = rng.choice([f"{first}.{last}", f"{first[0]}.{last}", f"{first}{rng.randint(1, 99)}", f"{last}-{first}"])
    return f"{local}@{rng.choice(['example.com', 'example.org', 'mail.example', 'post.example', 'office.example'])}"


def phone(rng: random.Random) -> Value:
    digits = "".join(str(rng.randrange(10)) for _ in range(7))
    forms = [f"+{rng.randint(30, 49)} {rng.randint(20, 99)} {digits}", f"0{rng.randint(100, 999)}-{digits}"]
    text = rng.choice(forms)
    return Value(text, text, {"type": "string"})


def date(first: int = 2019, last: int = 2027) -> Draw:
    """A day, in JSON as YYYY-MM-DD, in the text in an order that is plain by itself."""

    def draw(rng: random.Random) -> Value:
        start = datetime.date(first, 1, 1)
        day = start + datetime.timedelta(days=rng.randrange((datetime.date(last, 12, 31) - start).days + 1))
        month = _MONTHS[day.month - 1]
        spelled = [
            day.isoformat(), f"{day.day} {month} {day.year}", f"{month} {day.day}, {day.year}",
            f"{day.day:02d}-{month[:3]}-{day.year}", f"{day.day} {month[:3]} {day.year}",
        ]  # fmt: skip
        return Value(day.isoformat(), rng.choice(spelled), {"type": "string", "format": "date"})

    return draw


def clock(rng: random.Random) -> Value:
    """A time of day, in JSON as HH:MM."""
    hour, minute = rng.randint(6, 21), rng.choice([0, 0, 15, 30, 45])
    twelve, half = (hour - 1) % 12 + 1, "am" if hour < 12 else "pm"
    spelled = [f"{hour:02d}:{minute:02d}", f"{hour}.{minute:02d} h", f"{twelve}:{minute:02d} {half}"]
    if not minute:
        spelled.append(f"{twelve} {half}")
    schema = {"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}$"}
    return Value(f"{hour:02d}:{minute:02d}", rng.choice(spelled), schema)


def integer(low: int, high: int, unit: str = "") -> Draw:
    """A whole number, small ones perhaps in words, large ones perhaps with commas."""

    def draw(rng: random.Random) -> Value:
        number = rng.randint(low, high)
        spelled = f"{number:,}" if number >= 1000 and rng.random() < 0.5 else str(number)
        if 1 <= number < len(_NUMBERS) and rng.random() < 0.3:
            spelled = _NUMBERS[number]
        bounds = {"minimum": low} if rng.random() < 0.3 else {}
        return Value(number, f"{spelled} {unit}".strip(), {"type": "integer", **bounds})

    return draw


def year(low: int, high: int) -> Draw:
    """A year, always in four digits."""

    def draw(rng: random.Random) -> Value:
        number = rng.randint(low, high)
        return Value(number, str(number), {"type": "integer"})

    return draw


def money(low: int, high: int) -> Draw:
    """An amount with two decimals."""

    def draw(rng: random.Random) -> Value:
        cents = rng.randint(100 * low, 100 * high)
        cents -= cents % rng.choice([1, 5, 10, 100])
        amount = cents // 100 if cents % 100 == 0 else cents / 100
        spelled = f"{cents // 100:,}.{cents % 100:02d}" if rng.random() < 0.5 else f"{cents // 100}.{cents % 100:02d}"
        return Value(amount, spelled, {"type": "number"})

    return draw


def decimal(low: int, high: int, unit: str) -> Draw:
    """A measure with one decimal and its unit."""

    def draw(rng: random.Random) -> Value:
        tenths = rng.randint(10 * low, 10 * high)
        number = tenths // 10 if tenths % 10 == 0 else tenths / 10
        return Value(number, f"{number} {unit}", {"type": "number"})

    return draw


def minutes(rng: random.Random) -> Value:
    """A duration, in JSON in minutes."""
    total = rng.choice([15, 20, 30, 40, 45, 50, 60, 75, 90, 105, 120, 135, 150, 180, 195, 240])
    hours, rest = divmod(total, 60)
    spelled = [f"{total} minutes", f"{total} min"]
    if hours:
        spelled.append(f"{hours} h {rest} min" if rest else f"{hours} h")
    return Value(total, rng.choice(spelled), {"type": "integer"})


def yes_no(rng: random.Random) -> Value:
    """A boolean; forms say yes or no."""
    is_so = rng.random() < 0.5
    spelled = rng.choice([("yes", "no"), ("Yes", "No"), ("true", "false"), ("Y", "N")])
    return Value(is_so, spelled[not is_so], {"type": "boolean"})


def address(rng: random.Random) -> Value:
    """Street, postcode and city, as an object of two or three of them."""
    street = f"{rng.randint(1, 180)} {rng.choice(STREETS)}"
    postcode, city = f"{rng.randint(1000, 99999)}", rng.choice(CITIES)
    keys = ["street", "postcode", "city"]
    if rng.random() < 0.3:
        keys.remove(rng.choice(keys))
    rng.shuffle(keys)
    text = rng.choice([f"{street}, {postcode} {city}", f"{street}, {city}, {postcode}"])
    found = {"street": street, "postcode": postcode, "city": city}
    return _object({key: found[key] for key in keys}, text, {key: {"type": "string"} for key in keys})


def contact(rng: random.Random) -> Value:
    """A person with an address for mail, as an object."""
    who = person(rng)
    at = mail_address(who, rng)
    text = rng.choice([f"{who} <{at}>", f"{who} ({at})", f"{who}, {at}"])
    return _object({"name": who, "email": at}, text, {"name": {"type": "string"}, "email": {"type": "string"}})


def several(draw: Draw, low: int, high: int) -> Draw:
    """A list of different values."""

    def draw_list(rng: random.Random) -> Value:
        found = {value.text: value for value in (draw(rng) for _ in range(rng.randint(low, high)))}
        values = list(found.values())
        texts = tuple(value.text for value in values)
        joined = (
            ", ".join(texts) if rng.random() < 0.5 or len(texts) < 2 else f"{', '.join(texts[:-1])} and {texts[-1]}"
        )
        schema = {"type": "array", "items": values[0].schema}
        return Value([value.json for value in values], joined, schema, texts)

    return draw_list


def items(rng: random.Random) -> Value:
    """Lines of an order: what, how many, and the price of one."""
    form = rng.choice(["{n} x {what} at {price}", "{what}: {n} at {price} each", "{n} pcs. {what}, {price} apiece"])
    quantity, unit_price = rng.choice([("quantity", "unit_price"), ("count", "price_each"), ("quantity", "price_each")])
    rows, texts = [], []
    for what in rng.sample(GOODS, rng.randint(1, 4)):
        price = money(1, 90)(rng)
        count = rng.randint(1, 12)
        rows.append({"item": what, quantity: count, unit_price: price.json})
        texts.append(form.format(n=count, what=what, price=price.text))
    types = {"item": "string", quantity: "integer", unit_price: "number"}
    one = _object({}, "", {key: {"type": kind} for key, kind in types.items()}).schema
    return Value(rows, "; ".join(texts), {"type": "array", "items": one}, tuple(texts))


def _object(found: Json, text: str, properties: Json) -> Value:
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return Value(found, text, schema)
