"""Domains of trade and work: shops, firms, banks, hotels, restaurants, houses, buses, flights."""

from rlsf_lightning.prompts.sources._words import COMPANIES, GOODS
from rlsf_lightning.prompts.sources.text_to_sql.domains.parts import (
    PERSONS,
    Domain,
    Entity,
    amount,
    date,
    label,
    number,
    pairs,
    words,
)

_TOWNS = "Graz|Linz|Oslo|Porto|Turin|Leeds"
_LANDS = "Austria|Norway|Portugal|Italy|Kenya|Peru"
_FIRMS = tuple(firm for firm in COMPANIES if firm.isascii())

TRADE = (
    Domain("shop", (
        Entity("customer|client|buyer", "customer", "customers", (
            words("city|town", _TOWNS, "city"), number("age", 18, 80), date("joined|member_since", 2015, 2024, "joining date"),
            words("phone|phone_number", "0316-553|0732-118|0664-907", "phone number", True),
        ), label=label("name|full_name", PERSONS, "name")),
        Entity("product|article", "product", "products", (
            words("category", "garden|office|kitchen|sports|toys"), amount("price|unit_price", 2, 120, "price"),
            number("stock|in_stock", 0, 60, "stock"), amount("weight", 1, 30),
        ), label=label("name|title", GOODS, "name")),
        Entity("purchase|sale", "purchase", "purchases", (
            number("quantity|amount", 1, 12, "quantity"), date("day|sold_on", 2021, 2024, "date"),
            number("discount|discount_percent", 0, 40, "discount"), words("channel", "web|phone|store"),
        ), parents=("customer", "product")),
    )),
    Domain("company", (
        Entity("department|division", "department", "departments", (
            words("city|location", _TOWNS, "city"), number("budget", 50, 900), number("floor", 1, 9),
        ), label=label("name|title", pairs("North South Central Digital", "Sales Support Research Logistics"), "name")),
        Entity("employee|worker", "employee", "employees", (
            number("salary|wage", 1800, 7200, "salary"), date("hired|hire_date", 2005, 2024, "hiring date"),
            words("role|job", "clerk|engineer|manager|analyst|driver", "role"), number("age", 20, 64),
        ), parents=("department",), label=label("name|full_name", PERSONS, "name")),
        Entity("assignment|task", "assignment", "assignments", (
            number("hours", 1, 40, "number of hours"), words("status|state", "open|done|blocked|planned", "status"),
            date("due|due_date", 2022, 2025, "due date"), number("priority", 1, 5),
        ), parents=("employee",)),
    )),
    Domain("bank", (
        Entity("branch|office", "branch", "branches", (
            words("city|town", _TOWNS, "city"), number("opened|opening_year", 1950, 2020, "opening year"),
            number("staff", 3, 60, "number of staff"),
        ), label=label("name|title", pairs("Market Harbour Station Castle", "Street Square Road Lane"), "name")),
        Entity("holder|account_holder", "account holder", "account holders", (
            number("age", 18, 85), words("country", _LANDS), number("score|credit_score", 300, 850, "credit score"),
        ), label=label("name|full_name", PERSONS, "name")),
        Entity("account|bank_account", "account", "accounts", (
            words("kind|account_type", "savings|current|business", "kind"), amount("balance", 10, 9000),
            date("opened|opened_on", 2010, 2024, "opening date"), number("card_count|cards", 0, 5, "number of cards"),
        ), parents=("branch", "holder")),
        Entity("payment|transfer", "payment", "payments", (
            amount("amount|total", 1, 500, "amount"), date("day|paid_on", 2020, 2024, "date"),
            words("purpose|reason", "rent|food|travel|salary|gift", "purpose"),
        ), parents=("account",)),
    )),
    Domain("hotel", (
        Entity("hotel", "hotel", "hotels", (
            words("city|town", _TOWNS, "city"), number("stars", 1, 5, "number of stars"),
            number("built|year_built", 1900, 2022, "year of construction"),
        ), label=label("name|title", pairs("Hotel Pension Villa", "Aurora Lindenhof Seaview Bellevue Astoria Miramar"),
                        "name")),
        Entity("room", "room", "rooms", (
            number("beds|bed_count", 1, 6, "number of beds"), amount("price|nightly_rate", 40, 320, "price"),
            words("outlook|faces", "sea|garden|street|court", "view"), number("floor", 0, 9),
        ), parents=("hotel",)),
        Entity("booking|reservation", "booking", "bookings", (
            date("arrival|check_in", 2022, 2025, "arrival date"), number("nights", 1, 14, "number of nights"),
            words("status|state", "confirmed|cancelled|open", "status"), number("guests|guest_count", 1, 6, "number of guests"),
        ), parents=("room",)),
    )),
    Domain("food", (
        Entity("restaurant|place", "restaurant", "restaurants", (
            words("cuisine", "Italian|Thai|Greek|Indian|Polish"), words("city|town", _TOWNS, "city"),
            number("seats|seat_count", 12, 120, "number of seats"),
        ), label=label("name|title", pairs("Golden Blue Old Green", "Lantern Table Anchor Olive Spoon"), "name")),
        Entity("dish|meal", "dish", "dishes", (
            amount("price", 3, 40), number("calories|kcal", 90, 1400, "number of calories"),
            words("course|menu_course", "starter|main|dessert|drink", "course"), number("spiciness", 0, 5),
        ), parents=("restaurant",), label=label("name|title", pairs("Baked Spicy Cold Smoked", "Soup Noodles Rice Fish Beans"),
                                                "name")),
        Entity("review|rating", "review", "reviews", (
            number("stars", 1, 5, "number of stars"), date("day|written_on", 2020, 2024, "date"),
            number("likes", 0, 90, "number of likes"),
            words("comment_text|remark", "tasty|too loud|friendly", "comment", True),
        ), parents=("restaurant",)),
    )),
    Domain("housing", (
        Entity("agent|broker", "agent", "agents", (
            words("agency|company", "|".join(_FIRMS[:5]), "agency"),
            number("experience|years_active", 1, 35, "number of years of experience"),
            number("commission", 1, 9),
        ), label=label("name|full_name", PERSONS, "name")),
        Entity("house|property", "house", "houses", (
            number("rooms|room_count", 1, 9, "number of rooms"), number("price|asking_price", 90, 950, "price"),
            number("area|living_area", 30, 260, "area"), words("district", "North|South|Old Town|Harbour|Hills"),
            number("built|year_built", 1880, 2023, "year of construction"),
        ), parents=("agent",)),
        Entity("viewing|house_visit", "viewing", "viewings", (
            date("day|visited_on", 2022, 2024, "date"), number("visitors", 1, 12, "number of visitors"),
            amount("offer", 80, 900, "offer", True),
        ), parents=("house",)),
    )),
    Domain("transport", (
        Entity("line|route", "line", "lines", (
            words("vehicle|vehicle_type", "bus|tram|ferry|metro", "vehicle"), amount("length|length_km", 2, 60, "length"),
            number("stops|stop_count", 4, 45, "number of stops"),
        ), label=label("name|title", pairs("Red Blue Green Yellow", "Ring Express Shuttle Loop"), "name")),
        Entity("driver", "driver", "drivers", (
            number("age", 21, 66), date("hired|hire_date", 2004, 2024, "hiring date"), words("city|home_town", _TOWNS, "city"),
        ), label=label("name|full_name", PERSONS, "name")),
        Entity("trip|journey", "trip", "trips", (
            date("day|trip_date", 2023, 2025, "date"), number("passengers", 0, 150, "number of passengers"),
            number("delay|delay_minutes", 0, 45, "delay"), words("weather", "sun|rain|snow|fog"),
        ), parents=("line", "driver")),
    )),
    Domain("air", (
        Entity("airline|carrier", "airline", "airlines", (
            words("country|home_country", _LANDS, "country"), number("founded|founding_year", 1930, 2015, "founding year"),
            number("fleet|fleet_size", 4, 200, "fleet size"),
        ), label=label("name|title", pairs("Air Fly Jet", "Falcon Northern Meridian Coral Summit Alba"), "name")),
        Entity("airport", "airport", "airports", (
            words("country", _LANDS), number("runways|runway_count", 1, 5, "number of runways"),
            number("elevation", 1, 2400),
        ), label=label("name|title", pairs("Graz Linz Oslo Porto Turin Leeds", "North Central City"), "name")),
        Entity("flight", "flight", "flights", (
            number("distance|distance_km", 150, 6000, "distance"), number("seats|seat_count", 40, 330, "number of seats"),
            date("day|flight_date", 2023, 2025, "date"), amount("price|ticket_price", 30, 700, "price"),
            number("gate|gate_number", 1, 40, "gate", True),
        ), parents=("airline", "airport")),
    )),
)  # fmt: skip
