"""What the demo market's clients want done. Everything is invented."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Posting:
    """A project. Budget in whole euros; `client` is the client's e-mail."""

    client: str
    title: str
    description: str
    skills: tuple[str, ...]
    budget: tuple[int, int]
    ai: str = "ask"
    days_ago: int = 1
    deliver_in: int = 40


OPEN = (
    Posting(
        "hanne@museumoftides.example",
        "Accessible ticket checkout for a museum",
        "Our ticket shop works well with a mouse and badly with anything else. About one visitor in nine "
        "gives up at the date picker. We want to fix that properly.\n\n"
        "What we need: three checkout pages redesigned (date, visitors, payment), built in our existing "
        "Django templates and tested to WCAG 2.2 AA, and a short session with two of our regular blind "
        "visitors, whom we invite and pay.\n\n"
        "What is already there: a working Stripe integration, brand colours, and a developer who can "
        "review code for an hour each week.",
        ("Front-end development", "Accessibility", "Django", "Usability testing", "Stripe"),
        (3000, 4500),
        days_ago=0,
        deliver_in=54,
    ),
    Posting(
        "paolo@forno.example",
        "Order sheet that restaurants can fill in on a phone",
        "Forty restaurants send us their bread orders by voice message. We want a simple page where they "
        "tick what they need before 22:00, and a list for the bakers at 02:00.\n\n"
        "Most of our customers use old phones. Please no app store. We print the list on a normal printer.",
        ("Django", "Front-end development", "HTML", "CSS"),
        (1800, 2600),
        days_ago=1,
        deliver_in=35,
    ),
    Posting(
        "claire@lesjardins.example",
        "Grant report with charts for 60 shared gardens",
        "We have three years of spreadsheets: members, harvests, workshops. Our funder wants a 12-page "
        "report with charts by February. You bring order into the figures and design the charts; we write "
        "the story with you.",
        ("Data analysis", "Data visualisation", "Spreadsheets", "Grant writing"),
        (900, 1400),
        "fine",
        2,
        60,
    ),
    Posting(
        "jonas@kiezrad.example",
        "Repair manual for cargo bike brakes, with pictures",
        "Our mechanics explain the same three brake repairs every week. We want a short illustrated manual "
        "(about 16 pages) in plain German, printable, with a version for the phone. One day in the workshop "
        "is included; we pay the train.",
        ("Technical writing", "Illustration", "Translation"),
        (1200, 1900),
        "no",
        3,
        45,
    ),
    Posting(
        "rania@home.example",
        "Logo and sign for a small ceramics studio",
        "I open a studio for ten people in spring. I need a logo that works in glaze (so: simple), a sign "
        "for the street and a stamp. I like hand-drawn things and do not want anything made by a generator.",
        ("Logo design", "Branding", "Illustration"),
        (600, 950),
        "no",
        4,
        30,
    ),
    Posting(
        "hanne@museumoftides.example",
        "Captions and transcripts for 24 short films",
        "Twenty-four films between two and five minutes, Dutch and English. We need captions that deaf "
        "visitors find pleasant to read, and transcripts for the website.",
        ("Subtitling", "Video editing", "Translation"),
        (1500, 2200),
        days_ago=5,
        deliver_in=50,
    ),
    Posting(
        "paolo@forno.example",
        "Find out why our online shop loses people at delivery choice",
        "Half of the visitors leave when they choose a delivery slot. We would like interviews with six "
        "customers, watching them order, and a page with what to change first.",
        ("User research", "Usability testing", "Interviewing"),
        (1600, 2400),
        "fine",
        6,
        28,
    ),
    Posting(
        "claire@lesjardins.example",
        "Move our mailing list and files to a server we control",
        "We are 60 gardens with one shared drive and 900 addresses. We want mail lists and files on a small "
        "rented server, with backups we can restore ourselves and a two-page handbook.",
        ("Linux administration", "Backups", "Network security"),
        (1100, 1700),
        days_ago=8,
        deliver_in=35,
    ),
)
