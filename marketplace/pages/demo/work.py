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
        ("User research", "Usability testing"),
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
        ("Linux administration", "Backups", "Information security"),
        (1100, 1700),
        days_ago=8,
        deliver_in=35,
    ),
)


@dataclass(frozen=True)
class Story:
    """A posting that found its freelancer, and how far the two have come.

    `steps` are (title, whole euros); `ends` says where it stands: "reviewed", "unfunded",
    "funded", "in_review", "changes", "disputed", "decided", "called_off", "paying".
    `started` is how many days ago the contract was signed, `given_back` how many whole euros of the
    last step the freelancer returned later.
    """

    client: str
    freelancer: str
    title: str
    description: str
    skills: tuple[str, ...]
    steps: tuple[tuple[str, int], ...]
    ends: str
    started: int
    praise: tuple[str, str] = ("", "")
    stars: int = 5
    given_back: int = 0


STORIES = (
    Story(
        "jonas@kiezrad.example",
        "ines@freelancer.example",
        "Booking site for a bike workshop",
        "People call us to book a repair, and the phone rings while we hold a wheel. We want six pages: "
        "choose a shop, a mechanic, a time, and get a reminder. It must work with a thumb and with a "
        "screen reader.",
        ("Front-end development", "Accessibility", "CSS"),
        (
            ("Discovery and wireframes", 600),
            ("Design and front-end build", 1100),
            ("Launch and hand-over", 700),
        ),
        "in_review",
        41,
    ),
    Story(
        "jonas@kiezrad.example",
        "tomasz@freelancer.example",
        "Spare parts stock that tells us what to order",
        "We keep parts in two shops and a spreadsheet that is always wrong. We need a small stock system "
        "with a list on Monday morning of what to order, fed from our till export.",
        ("Django", "Python", "PostgreSQL"),
        (("Import of the till export", 900), ("Order list and hand-over", 1300)),
        "reviewed",
        120,
        (
            "Tomasz asked better questions than we had. The Monday list has been right for two months.",
            "Clear about what they need, quick to test, paid within a day.",
        ),
    ),
    Story(
        "hanne@museumoftides.example",
        "hana@freelancer.example",
        "Watch eight visitors buy a ticket",
        "We believe people leave our ticket shop at the date picker, but we have never watched anybody. "
        "Eight sessions, four of them on a phone, two with assistive technology, and one page of findings.",
        ("User research", "Usability testing"),
        (("Eight sessions", 1400), ("Findings and workshop", 800)),
        "reviewed",
        96,
        (
            "Hana showed us in one page what three years of opinions had not. She is very good with people.",
            "A team that listens. The recordings policy was sorted out in a day.",
        ),
    ),
    Story(
        "hanne@museumoftides.example",
        "mateo@freelancer.example",
        "Six short films about storm surges",
        "Six films of three minutes for the new room: archive pictures, two interviews each, captions in "
        "Dutch and English, and a version without sound for the screen in the hall.",
        ("Video editing", "Subtitling", "Sound editing"),
        (("First two films", 1200), ("The other four", 2000)),
        "changes",
        33,
    ),
    Story(
        "paolo@forno.example",
        "amara@freelancer.example",
        "Labels and boxes for a bakery",
        "Twelve kinds of bread, one system of labels, two boxes. It has to work in one colour because we "
        "print it ourselves on brown paper.",
        ("Logo design", "Packaging design", "Illustration"),
        (("Label system", 1100), ("Boxes and print files", 700)),
        "reviewed",
        80,
        (
            "Customers photograph our bags now. Amara also saved us money at the printer.",
            "Paolo knows his bread and trusts you with the rest. A pleasure.",
        ),
        given_back=150,
    ),
    Story(
        "paolo@forno.example",
        "lukas@freelancer.example",
        "Which restaurants order too much bread",
        "We throw away about eighty kilos a week. From our delivery notes we want to see who orders too "
        "much, on which days, and what a better standing order would be.",
        ("Data analysis", "SQL"),
        (("Figures and recommendation", 950),),
        "disputed",
        30,
    ),
    Story(
        "claire@lesjardins.example",
        "greta@freelancer.example",
        "Handbook for new gardeners, sixteen pages",
        "When somebody takes over a plot, we explain the same forty things. We want them on sixteen pages "
        "that people read: water, compost, neighbours, keys, festivals.",
        ("Technical writing", "Copywriting"),
        (("Interviews and outline", 500), ("Text, ready to print", 900)),
        "reviewed",
        65,
        (
            "Greta came to three gardens and wrote it the way we talk.",
            "Sixty gardens, one answer to every question within a day. Rare.",
        ),
        4,
    ),
    Story(
        "claire@lesjardins.example",
        "leila@freelancer.example",
        "Close the books of a small association",
        "One year, about 900 bookings, one grant. We need the annual accounts in the form our auditor asks "
        "for, and somebody who explains them to the board in plain words.",
        ("Bookkeeping", "Spreadsheets"),
        (("Annual accounts", 800), ("Meeting with the board", 250)),
        "funded",
        12,
    ),
    Story(
        "rania@home.example",
        "sofia@freelancer.example",
        "Translate a memoir of ninety pages",
        "My grandmother wrote down her childhood in Swedish. I would like to give it to my children in "
        "German. It is simple language with some words from the farm.",
        ("Translation", "Proofreading"),
        (("Pages 1 to 45", 700), ("Pages 46 to 90 and corrections", 750)),
        "decided",
        40,
    ),
    Story(
        "rania@home.example",
        "nikos@freelancer.example",
        "Backups for a photographer with six hard disks",
        "Six disks in a drawer, twelve years of weddings. I want two copies in two places, a test that I "
        "can read them, and a page that explains what to do when one dies.",
        ("Backups", "Linux administration"),
        (("Plan and set-up", 450), ("Restore test and handbook", 250)),
        "unfunded",
        3,
    ),
    Story(
        "hanne@museumoftides.example",
        "greta@freelancer.example",
        "Texts for twenty showcases in plain language",
        "Twenty showcases about boats, knots and salt. The texts we have are good and long. We want them "
        "short, in plain language, and checked by our curators.",
        ("Technical writing", "Copywriting", "Proofreading"),
        (("Ten texts", 650), ("Ten more texts", 650)),
        "called_off",
        20,
    ),
    Story(
        "jonas@kiezrad.example",
        "amara@freelancer.example",
        "Winter poster series for two bike shops",
        "Four posters that bring people in between November and February: lights, brakes, chains, warm "
        "hands. Drawn, not photographed, and printable in A1 and A4.",
        ("Illustration", "Branding"),
        (("Four posters", 980),),
        "paying",
        2,
    ),
)

MESSAGES = (
    ("client", "Welcome on board. Is there anything you need from us before you start?"),
    (
        "freelancer",
        "Thank you. Access to the material you mentioned, and one person I may call with small questions.",
    ),
    ("client", "You have both. Write to me here first, I answer in the evening."),
)
DELIVERY_NOTE = (
    "Everything we agreed for this step is here. I tested it the way we discussed; two open questions "
    "are at the end of the notes."
)
PITCHES = (
    "I have done something very close to this last year and can show it to you. I would begin with a short "
    "call, then send a first version within a week so that you can change your mind early.",
    "Your description is clear, thank you. I would start with the part that worries you most and leave the "
    "easy part for the end. I work in small steps you can look at every Friday.",
    "This is the kind of work I like best. I keep notes of every decision, so that whoever comes after me "
    "understands why it is the way it is.",
    "I can start on Monday. Two questions first: who decides on your side, and what does a good result look "
    "like to you in half a year?",
)
