"""Schemas about money: buying, selling, saving, earning, percentages."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from rlsf_lightning.prompts.sources.math_word.story import Number, Story, plus

Schema = Callable[[Story], None]

_THINGS = (
    "pens",
    "notebooks",
    "apples",
    "mugs",
    "candles",
    "postcards",
    "stickers",
    "balls",
    "scarves",
    "plants",
    "cookies",
)


def shopping(s: Story) -> None:
    """One to three sorts of goods, and perhaps the change."""
    costs = list[Number]()
    for things in s.rng.sample(_THINGS, s.number(1, 3)):
        count = s.number(2, 15)
        price: Number = s.rng.choice([Fraction(s.number(1, 25)), Fraction(s.number(1, 40), 4)])
        s.say(
            "{name} buys {count} {things} at ${price} each.",
            "{name} takes {count} {things}; each of them costs ${price}.",
            "{count} {things} go into the basket of {name}, for ${price} apiece.",
            count=count, things=things, price=price,
        )  # fmt: skip
        costs.append(s.step(f"Cost of the {things}", count, "*", price))
    total = costs[0]
    if len(costs) > 1:
        total = s.step("Total", *plus(costs))
    if s.maybe():
        note = next(note for note in (20, 50, 100, 200, 500, 1000, 2000) if note > total)
        s.say("{name} pays with ${note}.", "At the till {name} hands over ${note}.", note=note)
        change = s.step("Change", note, "-", total)
        s.ask(change, "How much change does {name} get?", "How many dollars does {name} get back?")
    else:
        s.ask(total, "How much does {name} pay?", "How many dollars does this cost in all?")


def saving(s: Story) -> None:
    """Weeks of saving, and what is missing for a purchase."""
    weekly, weeks = s.number(3, 40), s.number(3, 20)
    s.say("{name} saves ${weekly} every week.", "Every week {name} puts ${weekly} aside.", weekly=weekly)
    s.say("This goes on for {weeks} weeks.", "{name} keeps this up for {weeks} weeks.", weeks=weeks)
    has = s.step("Saved", weekly, "*", weeks)
    if s.maybe():
        start = s.number(10, 150)
        s.say(
            "Before that, {name} already had ${start}.", "The piggy bank held ${start} at the beginning.", start=start
        )
        has = s.step("With the start", has, "+", start)
    if s.maybe(0.4):
        spent = s.number(5, 60)
        s.say("Then ${spent} are spent on a present.", "{name} then buys a book for ${spent}.", spent=spent)
        has = s.step("After the purchase", has, "-", spent)
    if s.maybe():
        price = int(has) + s.number(5, 200)
        s.say("A bicycle costs ${price}.", "{name} wants a phone for ${price}.", price=price)
        missing = s.step("Missing", price, "-", has)
        s.ask(missing, "How much money does {name} still need?", "How many dollars are missing?")
    else:
        s.ask(has, "How much money does {name} have now?", "How many dollars does {name} have at the end?")


def discount(s: Story) -> None:
    """A price, some percent off, perhaps a delivery charge, perhaps several pieces."""
    price, percent = s.number(20, 400, 10), s.number(5, 60, 5)
    s.say("A coat costs ${price}.", "The price of a lamp is ${price}.", price=price)
    s.say("In the sale it is {percent}% cheaper.", "Today there are {percent}% off.", percent=percent)
    off = s.step("Reduction", price, "*", percent, "/", 100)
    now = s.step("Price now", price, "-", off)
    if s.maybe(0.4):
        count = s.number(2, 6)
        s.say("{name} orders {count} of them.", "{name} takes {count} pieces.", count=count)
        now = s.step("Together", count, "*", now)
    if s.maybe():
        charge = s.number(3, 25)
        s.say("The delivery is ${charge} more.", "Delivery adds ${charge}.", charge=charge)
        now = s.step("With delivery", now, "+", charge)
    s.ask(now, "How much does {name} pay?", "What does {name} have to pay, in dollars?")


def wages(s: Story) -> None:
    """Hours at a rate, extra hours at a higher one, perhaps a deduction."""
    hours, rate = s.number(10, 45), s.number(9, 40)
    s.say("{name} works {hours} hours for ${rate} an hour.", "At ${rate} an hour, {name} works {hours} hours.",
          hours=hours, rate=rate)  # fmt: skip
    pay = s.step("Normal pay", hours, "*", rate)
    if s.maybe(0.6):
        extra, more = s.number(2, 12), s.number(2, 15)
        s.say("Another {extra} hours are paid ${more} an hour better.",
              "For {extra} hours at night there are ${more} more an hour.", extra=extra, more=more)  # fmt: skip
        higher = s.step("Higher rate", rate, "+", more)
        overtime = s.step("Pay for the extra hours", extra, "*", higher)
        pay = s.step("Pay in all", pay, "+", overtime)
    if s.maybe():
        fee = s.number(10, 80)
        s.say("For the uniform ${fee} are kept back.", "${fee} of it go to the canteen.", fee=fee)
        pay = s.step("Paid out", pay, "-", fee)
    s.ask(pay, "How much does {name} receive?", "How many dollars does {name} take home?")


def tickets(s: Story) -> None:
    """Tickets of two sorts, and perhaps the costs of the show."""
    adults, children = s.number(10, 120), s.number(5, 90)
    price, lower = s.number(8, 30), s.number(2, 7)
    s.say("A school play is seen by {adults} adults and {children} children.",
          "{adults} adults and {children} children come to the fair.", adults=adults, children=children)  # fmt: skip
    s.say(
        "Adults pay ${price}, children ${lower}.",
        "A ticket is ${price}, for children ${lower}.",
        price=price,
        lower=lower,
    )
    first = s.step("From adults", adults, "*", price)
    second = s.step("From children", children, "*", lower)
    income = s.step("Income", first, "+", second)
    if s.maybe():
        costs = s.number(20, 150)
        s.say("The hall costs ${costs}.", "${costs} have to be paid for the music.", costs=costs)
        profit = s.step("Left", income, "-", costs)
        s.ask(profit, "How much money is left?", "What is the profit in dollars?")
    else:
        s.ask(income, "How much money comes in?", "What do all tickets bring in, in dollars?")


def selling(s: Story) -> None:
    """Bought in bulk, sold by the piece."""
    things = s.rng.choice(_THINGS)
    boxes, each, cost, price = s.number(2, 12), s.number(5, 30), s.number(4, 40), s.number(3, 9)
    s.say("{name} buys {boxes} boxes with {each} {things} each.", "{boxes} boxes of {each} {things} arrive at {name}'s shop.",
          boxes=boxes, each=each, things=things)  # fmt: skip
    s.say("A box costs ${cost}.", "The boxes are ${cost} each.", cost=cost)
    s.say("One by one, the {things} are sold for ${price}.", "{name} sells every single one for ${price}.",
          things=things, price=price)  # fmt: skip
    paid = s.step("Paid", boxes, "*", cost)
    count = s.step("Pieces", boxes, "*", each)
    income = s.step("Income", count, "*", price)
    profit = s.step("Profit", income, "-", paid)
    s.ask(profit, "How much profit does {name} make?", "What is left for {name} in dollars, once all are sold?")


def subscription(s: Story) -> None:
    """Two offers with a fee and a monthly price, compared."""
    months, fee, monthly, rival = s.number(3, 24), s.number(10, 90), s.number(5, 30), s.number(31, 60)
    s.say("A club asks for a fee of ${fee} and ${monthly} a month.", "To join costs ${fee}, and each month ${monthly}.",
          fee=fee, monthly=monthly)  # fmt: skip
    s.say("{name} stays {months} months.", "{name} signs up for {months} months.", months=months)
    dues = s.step("For the months", months, "*", monthly)
    first = s.step("With the fee", dues, "+", fee)
    if s.maybe():
        s.say("Another club has no fee but takes ${rival} a month.", "Elsewhere it is ${rival} a month without a fee.",
              rival=rival)  # fmt: skip
        second = s.step("The other club", months, "*", rival)
        cheaper = s.step("Difference", second, "-", first)
        s.ask(
            cheaper,
            "How much does {name} save with the first offer?",
            "By how many dollars is the first offer cheaper?",
        )
    else:
        s.ask(first, "How much does {name} pay in all?", "What are the costs for {name}, in dollars?")


TRADE: tuple[Schema, ...] = (shopping, saving, discount, wages, tickets, selling, subscription)
