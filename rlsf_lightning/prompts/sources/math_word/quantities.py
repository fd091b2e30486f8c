"""Schemas about counts, measures, ages, time and shares."""

from __future__ import annotations

from collections.abc import Callable

from rlsf_lightning.prompts.sources.math_word.story import Number, Story, plus

Schema = Callable[[Story], None]

_OWNED = ("marbles", "stamps", "shells", "cards", "coins", "books", "beads", "photos", "stickers", "badges")


def sharing(s: Story) -> None:
    """Bags of sweets, some eaten, the rest shared equally."""
    bags, each, children = s.number(2, 12), s.number(4, 30), s.number(2, 9)
    s.say("{name} has {bags} bags with {each} sweets in each.", "There are {each} sweets in every one of {bags} bags.",
          bags=bags, each=each)  # fmt: skip
    count = s.step("Sweets", bags, "*", each)
    if s.maybe():
        eaten = s.number(1, 40)
        s.say("{eaten} sweets are eaten at once.", "{name} eats {eaten} of the sweets.", eaten=eaten)
        count = s.step("Left", count, "-", eaten)
    s.say(
        "They are shared equally among {children} children.", "{children} children get equally many.", children=children
    )
    share = s.step("For each child", count, "/", children)
    if share.denominator == 1:
        s.ask(share, "How many sweets does each child get?", "How many sweets are there for every child?")
    else:
        s.step("No even share", 0, "-", 1)


def comparing(s: Story) -> None:
    """Three who own something, each compared with the one before."""
    things, first = s.rng.choice(_OWNED), s.number(4, 60)
    s.say("{name} has {first} {things}.", "{name} owns {first} {things}.", first=first, things=things)
    way, by = s.number(0, 2), s.number(2, 9)
    relation = ("{other} has {by} {things} more than {name}.", "{other} has {by} times as many {things} as {name}.",
                "{other} has {by} {things} fewer than {name}.")[way]  # fmt: skip
    s.say(relation, by=by, things=things)
    second = s.step(f"{s.other}", first, "+*-"[way], by)
    owned = [first, second]
    if s.maybe(0.6):
        times = s.number(2, 5)
        s.say(
            "{third} has {times} times as many as {other}.",
            "{third} owns {times} times what {other} owns.",
            times=times,
        )
        owned.append(s.step(f"{s.third}", second, "*", times))
    if s.maybe(0.7):
        total = s.step("Together", *plus(owned))
        s.ask(total, "How many {things} do they have together?", "How many {things} are there in all?", things=things)
    else:
        who = (s.name, s.other, s.third)[len(owned) - 1]
        s.ask(owned[-1], "How many {things} does {who} have?", "What is the number of {things} that {who} has?",
              things=things, who=who)  # fmt: skip


def travelling(s: Story) -> None:
    """One or two parts of a journey at some speed, perhaps what remains."""
    length: Number = 0
    parts = s.number(1, 2)
    for part in range(parts):
        speed, hours = s.number(20, 120, 5), s.number(2, 6)
        s.say(*(("{name} drives {hours} hours at {speed} km an hour.", "For {hours} hours {name} goes at {speed} km an hour.")
                if part == 0 else ("After a break it is {hours} hours at {speed} km an hour.",
                                   "Then {name} goes on for {hours} hours at {speed} km an hour.")),
              hours=hours, speed=speed)  # fmt: skip
        way = s.step("First part" if part == 0 else "Second part", speed, "*", hours)
        length = way if part == 0 else s.step("Both parts", length, "+", way)
    if s.maybe():
        whole = int(length) + s.number(10, 300)
        s.say("The whole trip is {whole} km long.", "The way to the sea is {whole} km.", whole=whole)
        rest = s.step("Left to drive", whole, "-", length)
        s.ask(rest, "How many kilometres are still to go?", "How many kilometres does {name} still have to drive?")
    else:
        s.ask(length, "How many kilometres is that?", "How far does {name} get, in kilometres?")


def producing(s: Story) -> None:
    """Machines that make parts, some of them faulty, in boxes."""
    machines, rate, hours = s.number(2, 12), s.number(5, 60), s.number(2, 10)
    s.say("A factory has {machines} machines, each of which makes {rate} parts an hour.",
          "Each of {machines} machines turns out {rate} parts an hour.", machines=machines, rate=rate)  # fmt: skip
    s.say("They run for {hours} hours.", "All of them work {hours} hours.", hours=hours)
    hourly = s.step("In an hour", machines, "*", rate)
    made = s.step("In all", hourly, "*", hours)
    if s.maybe():
        faulty = s.number(3, 60)
        s.say("{faulty} parts are faulty.", "Of all parts, {faulty} are thrown away.", faulty=faulty)
        made = s.step("Good parts", made, "-", faulty)
    s.ask(made, "How many good parts are there?", "How many parts can be used?")


def ages(s: Story) -> None:
    """Ages of two, now or in some years."""
    age, by = s.number(5, 40), s.number(2, 25)
    older = s.maybe()
    s.say("{name} is {age} years old.", "{name} has just turned {age}.", age=age)
    if older:
        s.say("{other} is {by} years older.", "{other} was born {by} years before {name}.", by=by)
        second = s.step(f"Age of {s.other}", age, "+", by)
    else:
        by = s.number(2, 4)
        s.say("{other} is {by} times as old.", "{other} is {by} times as old as {name}.", by=by)
        second = s.step(f"Age of {s.other}", age, "*", by)
    if s.maybe(0.4):
        years = s.number(2, 20)
        s.say(
            "They think of what will be in {years} years.",
            "Their friends will meet again in {years} years.",
            years=years,
        )
        age = int(s.step(f"{s.name} then", age, "+", years))
        second = s.step(f"{s.other} then", second, "+", years)
        total = s.step("Together then", age, "+", second)
        s.ask(total, "How old will both be together then?", "What will be the sum of their ages then?")
    else:
        total = s.step("Together", age, "+", second)
        s.ask(total, "How old are both together?", "What is the sum of their ages?")


def fencing(s: Story) -> None:
    """A rectangle: its area or its perimeter, and the cost."""
    width, more = s.number(3, 40), s.number(1, 30)
    s.say("A garden is {width} m wide and {more} m longer than wide.",
          "The width of a field is {width} m; its length is {more} m more.", width=width, more=more)  # fmt: skip
    length = s.step("Length", width, "+", more)
    if s.maybe():
        half = s.step("Two sides", length, "+", width)
        size = s.step("All sides", 2, "*", half)
        s.say("A fence is put all around it.", "It gets a fence along all sides.")
        unit, asked = "metre of fence", "How many metres of fence are needed?"
    else:
        size = s.step("Area", length, "*", width)
        s.say("All of it is sown with grass.", "Grass is to grow on all of it.")
        unit, asked = "square metre", "How many square metres are sown?"
    if s.maybe():
        price = s.number(2, 20)
        s.say("A {unit} costs ${price}.", "The price of a {unit} is ${price}.", unit=unit, price=price)
        cost = s.step("Cost", size, "*", price)
        s.ask(cost, "How much does this cost?", "What does {name} pay for it, in dollars?")
    else:
        s.ask(size, asked)


def cooking(s: Story) -> None:
    """A recipe for more people than it is written for, perhaps in packs."""
    people, times, grams = s.number(2, 6), s.number(2, 6), s.number(50, 600, 10)
    guests = people * times
    s.say("A recipe for {people} people needs {grams} g of flour.", "For {people} people one takes {grams} g of flour.",
          people=people, grams=grams)  # fmt: skip
    s.say("{name} cooks for {guests} people.", "{guests} guests come to {name}.", guests=guests)
    factor = s.step("Times the recipe", guests, "/", people)
    flour = s.step("Flour", factor, "*", grams)
    if s.maybe():
        has = s.number(10, 400, 10)
        s.say("There are {has} g of flour in the cupboard.", "{name} still has {has} g of it.", has=has)
        flour = s.step("To buy", flour, "-", has)
        s.ask(flour, "How many grams of flour must {name} buy?", "How many grams are missing?")
    else:
        s.ask(flour, "How many grams of flour does {name} need?", "How much flour is that, in grams?")


def reading(s: Story) -> None:
    """Pages a day, and how the rest is to be read."""
    daily, days = s.number(5, 40), s.number(2, 14)
    s.say("{name} reads {daily} pages a day for {days} days.", "For {days} days {name} reads {daily} pages every day.",
          daily=daily, days=days)  # fmt: skip
    read = s.step("Pages read", daily, "*", days)
    rest_days, rest_daily = s.number(2, 10), s.number(5, 50)
    whole = int(read) + rest_days * rest_daily
    s.say("The book has {whole} pages.", "In all there are {whole} pages.", whole=whole)
    left = s.step("Pages left", whole, "-", read)
    if s.maybe():
        s.say("The rest shall be done in {rest_days} days.", "{name} wants to finish within {rest_days} more days.",
              rest_days=rest_days)  # fmt: skip
        pace = s.step("Pages a day", left, "/", rest_days)
        s.ask(pace, "How many pages a day is that?", "How many pages must {name} read each day?")
    else:
        s.ask(left, "How many pages are left?", "How many pages does {name} still have to read?")


def fractions_of(s: Story) -> None:
    """A share of a group, and perhaps a share of the rest."""
    first, second = s.number(2, 6), s.number(2, 5)
    group = first * second * s.number(2, 12)
    s.say("{group} children are at a camp.", "A school trip has {group} children.", group=group)
    s.say("One in {first} of them swims.", "Exactly one of every {first} goes swimming.", first=first)
    swims = s.step("Swimmers", group, "/", first)
    rest = s.step("The others", group, "-", swims)
    if rest % second == 0 and s.maybe(0.6):
        s.say("Of the others, one in {second} draws.", "One of every {second} of the others draws.", second=second)
        draws = s.step("Those who draw", rest, "/", second)
        rest = s.step("Those who do neither", rest, "-", draws)
        s.ask(rest, "How many do neither?", "How many children neither swim nor draw?")
    else:
        s.ask(rest, "How many do not swim?", "How many children stay out of the water?")


def averaging(s: Story) -> None:
    """The mean of some results, or the last one that is needed for a mean."""
    count = s.number(2, 4)
    scores = [s.number(40, 100) for _ in range(count)]
    told = ", ".join(map(str, scores[:-1])) + f" and {scores[-1]}"
    total = s.step("Sum", *plus(scores))
    s.say(
        "In {count} tests {name} has {told} points.",
        "{name} scores {told} points in {count} tests.",
        count=count,
        told=told,
    )
    if total % count == 0 and s.maybe():
        mean = s.step("Average", total, "/", count)
        s.ask(mean, "What is the average?", "How many points is that on average?")
    else:
        wanted = s.number(50, 95)
        s.say("After one more test the average shall be {wanted}.", "{name} wants an average of {wanted} after the next test.",
              wanted=wanted)  # fmt: skip
        tests = s.step("Tests then", count, "+", 1)
        needed = s.step("Points needed in all", wanted, "*", tests)
        last = s.step("In the next test", needed, "-", total)
        s.ask(last, "How many points must the next test bring?", "How many points does {name} need in it?")


def filling(s: Story) -> None:
    """A tank that fills while some of it leaks."""
    inflow, leak, minutes = s.number(6, 40), s.number(2, 5), s.number(3, 60)
    s.say("Water runs into a tank at {inflow} litres a minute.", "A tap fills a tank with {inflow} litres a minute.",
          inflow=inflow)  # fmt: skip
    s.say("Through a crack {leak} litres a minute are lost.", "A leak takes {leak} litres a minute.", leak=leak)
    net = s.step("In a minute", inflow, "-", leak)
    if s.maybe():
        volume = int(net) * minutes
        s.say(
            "The tank holds {volume} litres and is empty.",
            "At first the tank, of {volume} litres, is empty.",
            volume=volume,
        )
        time = s.step("Minutes", volume, "/", net)
        s.ask(time, "After how many minutes is it full?", "How many minutes does it take to fill it?")
    else:
        s.say("This goes on for {minutes} minutes.", "Nobody looks for {minutes} minutes.", minutes=minutes)
        water = s.step("Litres", net, "*", minutes)
        s.ask(water, "How many litres are in the tank then?", "How much water has gathered, in litres?")


def planting(s: Story) -> None:
    """Rows of plants, some of which die, with a harvest."""
    rows, each, crop = s.number(3, 20), s.number(4, 30), s.number(2, 9)
    s.say("{name} plants {rows} rows of {each} tomato plants.", "In {rows} rows there are {each} bushes each.",
          rows=rows, each=each)  # fmt: skip
    plants = s.step("Plants", rows, "*", each)
    if s.maybe():
        dead = s.number(1, 11)
        s.say("{dead} of them die.", "Frost kills {dead} of them.", dead=dead)
        plants = s.step("Left", plants, "-", dead)
    s.say("Each of those that live bears {crop} kg.", "A living plant gives {crop} kg.", crop=crop)
    harvest = s.step("Harvest", plants, "*", crop)
    s.ask(harvest, "How many kilograms are harvested?", "How heavy is the harvest, in kilograms?")


def packing(s: Story) -> None:
    """Full boxes and what does not fit into them."""
    size, boxes, rest = s.number(4, 24), s.number(2, 30), 0
    rest = s.number(1, size - 1)
    count = size * boxes + rest
    s.say("{count} eggs are packed into boxes of {size}.", "{name} puts {count} eggs into boxes that hold {size} each.",
          count=count, size=size)  # fmt: skip
    s.say("In the end {boxes} boxes are full.", "That fills {boxes} boxes.", boxes=boxes)
    packed = s.step("Packed", boxes, "*", size)
    left = s.step("Left over", count, "-", packed)
    s.ask(left, "How many eggs are left over?", "How many eggs have found no place?")


QUANTITIES: tuple[Schema, ...] = (
    sharing, comparing, travelling, producing, ages, fencing, cooking, reading, fractions_of, averaging, filling, planting,
    packing,
)  # fmt: skip
