"""Domains of learning, leisure and care: schools, libraries, hospitals, teams, films, music, zoos, museums."""

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

_TOWNS = "Basel|Cork|Lyon|Riga|Ghent|Bergen"
_LANDS = "Chile|Japan|Ghana|Spain|Canada|India"
_TITLES = pairs("Silent Golden Broken Distant Hidden Winter", "River Garden Letters Harbour Mirror Road")

CULTURE = (
    Domain("school", (
        Entity("teacher", "teacher", "teachers", (
            words("subject", "maths|music|history|physics|art"), number("age", 24, 66),
            number("salary|pay", 2100, 5200, "salary"),
        ), label=label("name|full_name", PERSONS, "name")),
        Entity("course|class", "course", "courses", (
            words("level", "beginner|middle|advanced"), number("credits|credit_points", 1, 12, "number of credits"),
            number("hours|weekly_hours", 1, 10, "number of hours"), words("building", "Main|East|Annex"),
        ), parents=("teacher",), label=label("title|course_name", pairs("Basic Modern Applied Early",
                                             "Algebra Drawing Poetry Optics Logic"), "title")),
        Entity("student|pupil", "student", "students", (
            number("grade|school_year", 1, 12, "grade"), words("city|home_town", _TOWNS, "city"),
            number("born|birth_year", 2000, 2015, "year of birth"), words("club", "chess|choir|drama", "club", True),
        ), label=label("name|full_name", PERSONS, "name")),
        Entity("enrolment|registration", "enrolment", "enrolments", (
            number("points|exam_points", 0, 100, "number of points"), words("term|semester", "spring|autumn|summer", "term"),
            number("absences", 0, 15, "number of absences"),
        ), parents=("course", "student")),
    )),
    Domain("library", (
        Entity("author|writer", "author", "authors", (
            words("country", _LANDS), number("born|birth_year", 1880, 2000, "year of birth"),
            number("awards", 0, 12, "number of awards"),
        ), label=label("name|full_name", PERSONS, "name")),
        Entity("book", "book", "books", (
            words("genre", "novel|poetry|crime|travel|science"), number("pages|page_count", 60, 900, "number of pages"),
            number("year|published", 1930, 2024, "year of publication"), number("copies", 1, 9, "number of copies"),
        ), parents=("author",), label=label("title|book_title", _TITLES, "title")),
        Entity("loan|lending", "loan", "loans", (
            date("day|lent_on", 2021, 2024, "date"), number("days|loan_days", 1, 60, "number of days"),
            date("returned|returned_on", 2021, 2024, "return date", True), amount("fine", 0, 20),
        ), parents=("book",)),
    )),
    Domain("hospital", (
        Entity("doctor|physician", "doctor", "doctors", (
            words("specialty|field", "surgery|eyes|heart|children|skin", "specialty"), number("age", 28, 68),
            number("room|room_number", 1, 30, "room"),
        ), label=label("name|full_name", PERSONS, "name")),
        Entity("patient", "patient", "patients", (
            words("city|home_town", _TOWNS, "city"), number("born|birth_year", 1930, 2020, "year of birth"),
            number("height|height_cm", 90, 200, "height"), words("allergy", "pollen|nuts|latex", "allergy", True),
        ), label=label("name|full_name", PERSONS, "name")),
        Entity("visit|appointment", "visit", "visits", (
            date("day|visit_date", 2021, 2024, "date"), amount("cost|fee", 20, 400, "cost"),
            number("minutes|duration", 5, 90, "duration"), words("outcome|result", "cured|referred|follow-up", "outcome"),
        ), parents=("doctor", "patient")),
    )),
    Domain("football", (
        Entity("team|club", "team", "teams", (
            words("city|town", _TOWNS, "city"), number("founded|founding_year", 1880, 2010, "founding year"),
            number("capacity|stadium_capacity", 2, 80, "stadium capacity"),
        ), label=label("name|team_name", pairs("Basel Cork Lyon Riga Ghent", "Rovers United Wanderers Stars"), "name")),
        Entity("player", "player", "players", (
            words("position|role", "goalkeeper|defender|midfielder|striker", "position"), number("age", 17, 39),
            number("goals|goal_count", 0, 40, "number of goals"), number("height|height_cm", 160, 205, "height"),
            number("shirt|shirt_number", 1, 30, "shirt number", True),
        ), parents=("team",), label=label("name|full_name", PERSONS, "name")),
        Entity("injury", "injury", "injuries", (
            words("body_part", "knee|ankle|back|head"), number("weeks|weeks_out", 1, 40, "number of weeks"),
            date("day|injured_on", 2020, 2024, "date"),
        ), parents=("player",)),
    )),
    Domain("cinema", (
        Entity("director", "director", "directors", (
            words("country", _LANDS), number("born|birth_year", 1930, 1998, "year of birth"),
            number("prizes", 0, 15, "number of prizes"),
        ), label=label("name|full_name", PERSONS, "name")),
        Entity("film|movie", "film", "films", (
            words("genre", "drama|comedy|thriller|animation"), number("year|release_year", 1960, 2024, "release year"),
            number("minutes|running_time", 60, 200, "running time"), amount("rating|score", 1, 10, "rating"),
        ), parents=("director",), label=label("title|film_title", _TITLES, "title")),
        Entity("screening|showing", "screening", "screenings", (
            date("day|shown_on", 2022, 2025, "date"), number("tickets|tickets_sold", 0, 300, "number of tickets"),
            amount("price|ticket_price", 5, 20, "price"), words("hall", "Main Hall|Studio|Garden|Cellar"),
        ), parents=("film",)),
    )),
    Domain("music", (
        Entity("artist|band", "artist", "artists", (
            words("country|origin", _LANDS, "country"), number("formed|formed_in", 1960, 2020, "founding year"),
            number("members|member_count", 1, 9, "number of members"),
        ), label=label("name|artist_name", pairs("Velvet Paper Electric Crystal", "Foxes Pilots Tigers Echo Lions"), "name")),
        Entity("album|record", "album", "albums", (
            number("year|release_year", 1965, 2024, "release year"), amount("price", 4, 40),
            words("style", "rock|jazz|folk|pop"), number("sales|copies_sold", 1, 900, "number of sales"),
        ), parents=("artist",), label=label("title|album_title", _TITLES, "title")),
        Entity("song|track", "song", "songs", (
            number("seconds|length_seconds", 90, 600, "length"), number("plays|play_count", 0, 999, "number of plays"),
            words("language", "English|Spanish|French|Hindi"), number("chart|best_rank", 1, 40, "chart position", True),
        ), parents=("album",)),
    )),
    Domain("zoo", (
        Entity("keeper", "keeper", "keepers", (
            number("age", 19, 65), date("hired|hire_date", 2003, 2024, "hiring date"), words("shift", "early|late|night"),
        ), label=label("name|full_name", PERSONS, "name")),
        Entity("enclosure|compound", "enclosure", "enclosures", (
            number("area|size_m2", 20, 900, "area"), words("habitat", "forest|savanna|water|rocks"),
            number("opened|opening_year", 1970, 2022, "opening year"),
        ), label=label("name|title", pairs("Upper Lower East West", "Meadow Pond Cliff Grove"), "name")),
        Entity("animal", "animal", "animals", (
            words("species", "zebra|otter|lynx|penguin|camel"), amount("weight|weight_kg", 2, 600, "weight"),
            number("born|birth_year", 2000, 2024, "year of birth"), number("meals|meals_per_day", 1, 6, "number of meals"),
        ), parents=("keeper", "enclosure"), label=label("name|animal_name",
            pairs("Old Little Lady King", "Bruno Kiki Momo Sammy Luna"), "name")),
        Entity("checkup|health_check", "check-up", "check-ups", (
            date("day|checked_on", 2021, 2024, "date"), amount("cost", 10, 300),
            words("finding|result", "healthy|injured|pregnant|thin", "finding"),
        ), parents=("animal",)),
    )),
    Domain("museum", (
        Entity("museum", "museum", "museums", (
            words("city|town", _TOWNS, "city"), number("opened|opening_year", 1850, 2020, "opening year"),
            number("visitors|visitor_count", 5, 900, "number of visitors"),
        ), label=label("name|title", pairs("City National Royal Open", "Museum Gallery Collection Archive"), "name")),
        Entity("painting|picture", "painting", "paintings", (
            number("year|painted_in", 1500, 2020, "year"), amount("value|estimate", 10, 900, "value"),
            words("style", "baroque|cubist|realist|abstract"), number("width|width_cm", 20, 300, "width"),
        ), parents=("museum",), label=label("title|painting_title", _TITLES, "title")),
        Entity("event|guided_tour", "event", "events", (
            date("day|held_on", 2022, 2025, "date"), number("guests|guest_count", 0, 200, "number of guests"),
            amount("fee|ticket_price", 0, 30, "fee"), words("theme", "family|school|night|expert"),
        ), parents=("museum",)),
    )),
)  # fmt: skip
