"""Who lives in the demo market. Everyone is invented."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Freelancer:
    """A person who works. Rates are whole euros an hour; skills are (name, level 1 to 3)."""

    name: str
    headline: str
    bio: str
    skills: tuple[tuple[str, int], ...]
    rate: tuple[int, int]
    country: str
    languages: str
    availability: str = "now"
    portfolio: tuple[tuple[str, str], ...] = ()

    @property
    def email(self) -> str:
        return f"{self.name.split()[0].lower()}@freelancer.example"


@dataclass(frozen=True)
class Client:
    """A person who hires, for the company named (or for themselves when there is none)."""

    name: str
    email: str
    company: str = ""
    country: str = "DE"
    vat_id: str = ""
    about: str = ""


FREELANCERS = (
    Freelancer(
        "Ines Carvalho",
        "Front-end developer for booking and checkout pages people can use",
        "I build the part of a site where money or time changes hands: booking, checkout, sign-up. "
        "I test with keyboard and screen-reader users before I call anything finished, and I leave "
        "notes your next developer will thank me for.",
        (
            ("Front-end development", 3),
            ("Accessibility", 3),
            ("Django", 2),
            ("CSS", 3),
            ("Usability testing", 2),
        ),
        (55, 70),
        "PT",
        "Portuguese, English, German",
        portfolio=(
            (
                "Booking flow for a climbing hall",
                "Rebuilt four steps into two; calls to the desk fell by half.",
            ),
            (
                "Accessible menu for a town library",
                "Tested with two people who use NVDA every day.",
            ),
        ),
    ),
    Freelancer(
        "Tomasz Zielinski",
        "Django developer who likes old code bases",
        "Twelve years of Python. I take over projects nobody dares to touch, write the missing tests "
        "and then change things in small steps. Payments, imports and slow queries are my daily bread.",
        (("Django", 3), ("Python", 3), ("PostgreSQL", 3), ("Stripe", 2), ("Automated testing", 2)),
        (65, 85),
        "PL",
        "Polish, English",
        portfolio=(
            (
                "Membership system for a rowing club",
                "Moved 4,000 members from spreadsheets to Django.",
            ),
        ),
    ),
    Freelancer(
        "Amara Okafor",
        "Brand and illustration for shops with a story",
        "I draw by hand first. Logos, packaging and small illustration sets for food, craft and culture. "
        "Every file comes layered and named, with rights written down in plain words.",
        (("Logo design", 3), ("Illustration", 3), ("Packaging design", 2), ("Branding", 3)),
        (45, 60),
        "IE",
        "English, Igbo",
        portfolio=(
            ("Label set for a cider maker", "Six labels, one system, printed on recycled stock."),
        ),
    ),
    Freelancer(
        "Lukas Brandt",
        "Data analyst: from messy exports to one clear page",
        "I turn exports from shops, booking systems and spreadsheets into figures you can act on. "
        "I explain every number and hand over the scripts.",
        (("Data analysis", 3), ("Python", 2), ("SQL", 3), ("Data visualisation", 2)),
        (50, 65),
        "AT",
        "German, English",
    ),
    Freelancer(
        "Sofia Lindqvist",
        "Translator, Swedish and English to German",
        "Marketing, tourism and software texts. I ask about your readers before I start, keep a term list "
        "for you and read everything aloud once.",
        (("Translation", 3), ("Proofreading", 3), ("Copywriting", 2), ("Localisation", 2)),
        (40, 50),
        "SE",
        "Swedish, German, English",
    ),
    Freelancer(
        "Mateo Rivera",
        "Video editor for museums, schools and small teams",
        "Short explanatory films with clear sound and proper captions. I cut fast, label everything, and "
        "deliver captions and transcripts with each film.",
        (("Video editing", 3), ("Motion graphics", 2), ("Subtitling", 3), ("Sound editing", 2)),
        (38, 52),
        "ES",
        "Spanish, English, French",
    ),
    Freelancer(
        "Hana Novakova",
        "UX researcher, interviews and usability tests",
        "I find out why people stop. Five to eight sessions, one page of findings in order of cost to you, "
        "recordings with consent handled properly.",
        (("User research", 3), ("Usability testing", 3), ("UX design", 2)),
        (60, 75),
        "CZ",
        "Czech, English, German",
    ),
    Freelancer(
        "Jonah Adeyemi",
        "Mobile developer, Flutter and Kotlin",
        "Apps for field work: forms that survive bad reception, photos that upload later, maps that work "
        "offline. I have shipped eleven of them.",
        (
            ("Flutter", 3),
            ("Android development", 3),
            ("Mobile app development", 3),
            ("REST APIs", 2),
        ),
        (55, 75),
        "NL",
        "English, Dutch",
        "from",
    ),
    Freelancer(
        "Greta Hofmann",
        "Technical writer: manuals people finish",
        "I sit next to the people who do the work, then write down what they really do. Help centres, "
        "safety sheets, API guides.",
        (
            ("Technical writing", 3),
            ("Copywriting", 2),
            ("Information architecture", 2),
            ("Proofreading", 2),
        ),
        (48, 58),
        "DE",
        "German, English",
    ),
    Freelancer(
        "Nikos Papadakis",
        "Systems administrator for small hosts",
        "Backups that restore, monitoring that stays quiet until it matters, and a hand-over book. Debian, "
        "PostgreSQL, mail.",
        (
            ("Linux administration", 3),
            ("PostgreSQL", 2),
            ("Backups", 3),
            ("Information security", 2),
        ),
        (58, 72),
        "GR",
        "Greek, English",
    ),
    Freelancer(
        "Leila Haddad",
        "Bookkeeping and controlling for associations",
        "Monthly closing, grant reports and budgets for non-profits. I prepare the papers your tax adviser "
        "asks for before they ask.",
        (("Bookkeeping", 3), ("Accounting", 3), ("Grant writing", 2), ("Spreadsheets", 3)),
        (42, 55),
        "FR",
        "French, Arabic, English",
    ),
    Freelancer(
        "Emil Sorensen",
        "Just finished school, wants to build clean websites",
        "I trained for two years as a web developer and built the site of my sports club. I am quick to "
        "answer, ask before I guess, and charge less while I collect my first reviews.",
        (("HTML", 2), ("CSS", 2), ("JavaScript", 1), ("WordPress", 2)),
        (25, 32),
        "DK",
        "Danish, English",
    ),
)

CLIENTS = (
    Client(
        "Jonas Weber",
        "jonas@kiezrad.example",
        "Kiezrad",
        "DE",
        "DE136695976",
        "A bicycle workshop with nine mechanics and two shops.",
    ),
    Client(
        "Hanne Visser",
        "hanne@museumoftides.example",
        "Museum of Tides",
        "NL",
        "NL004495445B01",
        "A museum about the sea, its people and its weather. 140,000 visitors a year.",
    ),
    Client(
        "Paolo Ricci",
        "paolo@forno.example",
        "Forno Ricci",
        "IT",
        "IT00743110157",
        "A bakery that delivers to forty restaurants.",
    ),
    Client(
        "Claire Dubois",
        "claire@lesjardins.example",
        "Les Jardins Partagés",
        "FR",
        "",
        "An association of 60 shared gardens.",
    ),
    Client("Rania Mansour", "rania@home.example"),
)

STAFF_NAME, STAFF_EMAIL = "Ayşe Demir", "ayse@bidwell.example"
