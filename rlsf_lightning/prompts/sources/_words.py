"""Words that several sources draw from: names of persons, places, firms and goods. No source by itself."""

from __future__ import annotations

import random


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.replace("_", " ") for word in text.split())


FIRST_NAMES = _words("""
    Ada Aisha Alan Amara Ana Anders Anna Ben Bianca Boris Carla Chen Clara Daniel Dina Elena Elif Emil Emma Farid Felix
    Fiona Greta Hana Hugo Ines Ivan Jamal Jonas Julia Kofi Laila Lars Lea Leon Lin Lucas Maja Marco Maria Mei Mila Nadia
    Nina Noor Oleg Olivia Omar Oscar Paula Petra Priya Rafael Ravi Rosa Ruth Samir Sara Sofia Tariq Tessa Theo Tomas Uma
    Vera Victor Wanda Yara Yusuf Zoë
""")
SURNAMES = _words("""
    Abbott Adeyemi Ahmed Almeida Andersen Baker Bauer Becker Bianchi Brandt Carter Castillo Chang Costa Dahl Diaz Dubois
    Ekström Evans Fischer Fontaine Garcia Greene Haddad Hansen Hoffmann Ibrahim Ivanova Jensen Kaya Keller Khan Kim Kovač
    Kowalski Larsen Leroy Lindholm Lopez Marino Martin Mensah Meyer Moreau Morris Müller Nakamura Novak Núñez Okafor Olsen
    Patel Petrov Quinn Reed Rossi Sato Schmidt Silva Singh Svensson Tanaka Taylor Torres Vogel Wagner Walsh Weber Wright Zhang
""")
CITIES = _words("""
    Aarhus Antwerp Basel Bergen Bilbao Bologna Bordeaux Bremen Bristol Brno Cork Dresden Dublin Edinburgh Geneva Ghent
    Gothenburg Graz Hamburg Helsinki Kraków Leeds Leipzig Lille Linz Lisbon Ljubljana Lyon Malmö Nantes Oslo Porto Prague
    Riga Rotterdam Salzburg Seville Tallinn Tampere Toulouse Trieste Turin Utrecht Valencia Vienna Vilnius Warsaw York Zagreb
    Zurich
""")
STREETS = _words("""
    Abbey_Road Ash_Street Bridge_Street Cedar_Avenue Chapel_Lane Church_Street Elm_Drive Garden_Road Harbour_Street High_Street
    Hill_Road King_Street Lake_View Market_Square Meadow_Lane Mill_Lane Oak_Avenue Orchard_Close Park_Avenue Pine_Street
    Queen_Street River_Walk School_Lane Spring_Street Station_Road Sunset_Drive Union_Street Victoria_Road Water_Lane
    West_Street
""")
COMPANIES = _words("""
    Alder_&_Sons Atlas_Freight Birchwood_Ltd Blue_Harbour_GmbH Brightline_Media Cascade_Systems Copperfield_Books Delta_Optics
    Evergreen_Foods Falcon_Travel Granite_Works Hartmann_AG Helix_Labs Ironbridge_Tools Juniper_Design Kestrel_Software
    Lakeside_Clinic Linden_Logistics Meridian_Energy Northwind_Traders Orion_Print Pine_Valley_Dairy Quartz_Analytics
    Redwood_Furniture Silverline_Bikes Solstice_Solar Summit_Outdoor Tidewater_Bank Vantage_Motors Willow_Garden_Centre
""")
GOODS = _words("""
    desk_lamp office_chair blue_folder USB_cable notebook ink_cartridge water_bottle coffee_mug wall_clock paper_towels
    garden_hose hand_saw paint_brush bicycle_pump tennis_racket yoga_mat wool_blanket pillow_case dinner_plate soup_bowl
    bread_knife rain_jacket leather_belt running_shoes wool_hat phone_charger keyboard mouse_pad monitor_stand headphones
    chess_set jigsaw_puzzle picture_frame candle flower_pot bird_feeder toolbox torch tape_measure step_ladder
""")


def person(rng: random.Random) -> str:
    """A first name and a surname."""
    return f"{rng.choice(FIRST_NAMES)} {rng.choice(SURNAMES)}"
