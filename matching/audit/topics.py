"""What the people of the benchmark can do and the projects ask for, told in phrases of our own."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """A kind of work: what it delivers, the skills it shows, the phrases it is told in."""

    field: str
    deliverable: str
    skills: tuple[str, ...]
    phrases: tuple[str, ...]


def _topic(field: str, deliverable: str, skills: str, phrases: str) -> Topic:
    return Topic(field, deliverable, tuple(skills.split(", ")), tuple(phrases.split("; ")))


TOPICS = (
    _topic(
        "web",
        "ticket checkout",
        "Django, Accessibility, Checkout",
        "three checkout pages; screen reader tests; a basket that survives reloads; card payment "
        "forms; clear error messages; keyboard paths; a date picker without script; receipts",
    ),
    _topic(
        "web",
        "booking calendar",
        "React, TypeScript, Calendars",
        "free slots per room; double bookings refused; reminders before a visit; time zones; drag "
        "to move an appointment; waiting lists; opening hours; a widget for other sites",
    ),
    _topic(
        "web",
        "stock system",
        "PostgreSQL, Inventory, REST API",
        "barcodes read by phone; goods counted per shelf; orders sent to suppliers; batch numbers; "
        "slow queries made fast; an interface for the scales; returns; stock warnings",
    ),
    _topic(
        "web",
        "members' portal",
        "PHP, Single sign-on, Permissions",
        "log-in with one account; roles for volunteers; a directory of members; fees collected "
        "yearly; newsletters by group; protected downloads; moved from an old host; two factors",
    ),
    _topic(
        "web",
        "mobile app",
        "Kotlin, Swift, Offline first",
        "works without network; push messages; map of stops; camera scans; small download; tests "
        "on old phones; store release; battery use halved",
    ),
    _topic(
        "design",
        "brand identity",
        "Logo design, Typography, Brand guidelines",
        "a word mark; two typefaces; colours that print well; a book of rules; signs above the "
        "door; stationery; sketches by hand; contrast checked",
    ),
    _topic(
        "design",
        "packaging",
        "Packaging design, Prepress, Illustration",
        "folding boxes; labels for jars; dielines; inks for recycled board; drawings of herbs; "
        "mock-ups in paper; barcodes placed; a range of nine flavours",
    ),
    _topic(
        "design",
        "interface design",
        "Figma, User research, Prototyping",
        "interviews with eight users; clickable prototypes; a library of components; forms made "
        "shorter; dark theme; usability sessions; journey maps; handover to developers",
    ),
    _topic(
        "design",
        "exhibition graphics",
        "Wayfinding, Large format, Infographics",
        "wall texts; arrows through three floors; timelines; floor plans; banners in vinyl; type "
        "readable at distance; drawings explain a machine; panels in two languages",
    ),
    _topic(
        "writing",
        "grant application",
        "Grant writing, Budgeting, Editing",
        "a budget with reasons; goals that can be measured; letters of support; answers within "
        "the word limit; a logic model; reports to funders; deadlines kept; partners named",
    ),
    _topic(
        "writing",
        "user manual",
        "Technical writing, Markdown, Screenshots",
        "step by step tasks; warnings where they belong; a glossary; pictures of every screen; "
        "release notes; reviewed with engineers; help texts; an index people use",
    ),
    _topic(
        "writing",
        "web shop texts",
        "Copywriting, SEO, Product descriptions",
        "two hundred products described; titles people search for; tone of voice; delivery page "
        "rewritten; questions and answers; category texts; headlines tested; fewer returns",
    ),
    _topic(
        "writing",
        "podcast script",
        "Storytelling, Interviewing, Fact checking",
        "six episodes; guests prepared; claims traced to sources; cold opens; a story arc over the "
        "season; narration read aloud; transcripts corrected; quotes approved",
    ),
    _topic(
        "data",
        "sales forecast",
        "Forecasting, Python, Time series",
        "weekly demand; holidays and weather; error bars; a baseline beaten; backtests over three "
        "years; promotions accounted for; a notebook that runs itself; drift watched",
    ),
    _topic(
        "data",
        "reporting dashboard",
        "SQL, Dashboards, Data modelling",
        "a star schema; figures agreed with finance; filters by region and month; nightly loads; "
        "definitions written down; slow joins mended; exports; alerts when numbers jump",
    ),
    _topic(
        "data",
        "survey analysis",
        "Statistics, R, Survey design",
        "questions piloted; weights for who did not answer; regression with intervals; open "
        "answers coded; charts for the board; anonymised files; power computed; panel cleaned",
    ),
    _topic(
        "data",
        "data pipeline",
        "Airflow, Data quality, Cloud storage",
        "sources read hourly; schema changes caught; late events; tests on every column; costs cut "
        "by half; lineage; secrets rotated; replays after a failure",
    ),
    _topic(
        "video",
        "explainer film",
        "Motion graphics, After Effects, Storyboarding",
        "ninety seconds; storyboard agreed first; characters animated; voice recorded; subtitles; "
        "icons in motion; sound effects; versions for phones",
    ),
    _topic(
        "video",
        "event film",
        "Filming, Video editing, Colour grading",
        "two cameras; interviews between talks; a cut on the same night; stage sound; drone shots "
        "of the yard; grading; music licensed; portraits of speakers",
    ),
    _topic(
        "video",
        "online course",
        "Instructional design, Screen recording, Audio editing",
        "twelve lessons; exercises with answers; recorded screens; noise removed; a plan of what "
        "people learn; quizzes; workbooks; captions checked",
    ),
)
FIELDS = tuple(dict.fromkeys(topic.field for topic in TOPICS))
# Whoever orders: words that say nothing about the work, as in life.
_CUSTOMERS = """
    museum bakery clinic school theatre zoo library brewery bookshop cinema harbour farm hotel
    choir charity vineyard observatory laundry pharmacy orchestra ferry nursery gallery market
"""
CUSTOMERS = tuple(_CUSTOMERS.split())
ASIDES = (
    "We need somebody who asks questions early.",
    "A first draft is expected after two weeks.",
    "There is a document with everything we know.",
    "The team is small and decides quickly.",
    "Please say how you would begin.",
    "Everything so far was done in house.",
)
NOTES = (
    "Finished before the agreed day.",
    "Two rounds of changes.",
    "The client uses it every week.",
    "Handed over with a short guide.",
    "Done together with their own team.",
    "Small budget, short time.",
)
