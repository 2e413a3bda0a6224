"""Names people and companies may go by."""

from django.conf import settings
from django.utils.translation import gettext as _

from marketplace.core import text
from marketplace.core.errors import InvalidInput

LONGEST = 120
# Letters of other alphabets that look like ours, enough to see through an imitation.
LOOK_ALIKES = str.maketrans("авеорсухіјѕԁԛԝѵαεονρτυι013l|", "abeopcyxijsdqwvaeovptuioieii")
# What a company is, not who: registers and people write it in many ways, or leave it out.
LEGAL_FORMS = {
    *("ab", "ag", "aps", "as", "asbl", "bv", "bvba", "cv", "doo", "eg", "ei", "eirl", "ek", "eood"),
    *("eurl", "ev", "gbr", "gmbh", "kft", "kg", "lda", "limited", "llc", "llp", "ltd", "mbh", "nv"),
    *("nyrt", "oe", "ohg", "ood", "oy", "oyj", "partg", "plc", "rt", "sa", "sarl", "sas", "sasu"),
    *("sca", "sci", "scop", "scs", "se", "sia", "sl", "slne", "slu", "snc", "sp", "spa", "sprl"),
    *("sro", "srl", "srls", "uab", "ug", "unipessoal", "vof", "vzw", "zoo", "zrt"),
}
LINKS = {"and", "co", "et", "und", "y", "e", "en", "i", "o", "z"}
OURS = {"team", "support", "staff", "help", "admin", "moderator", "moderation", "payments"}


def clean_name(name: str, *, field: str = "name") -> str:
    """The name to keep; raises InvalidInput when it is empty, too long or poses as us."""
    name = text.line(name)
    if not any(c.isalnum() for c in name):
        raise InvalidInput(_("Enter a name"), field=field)
    if len(name) > LONGEST:
        raise InvalidInput(
            _("The name is too long. The limit is %(limit)d characters") % {"limit": LONGEST},
            field=field,
        )
    words = set(_skeleton(name).split())
    ours = _skeleton(settings.SITE_NAME)
    if ours in words and (words == {ours} or words & {_skeleton(word) for word in OURS}):
        raise InvalidInput(_("This name looks like ours. Choose another one"), field=field)
    return name


def _skeleton(name: str) -> str:
    return text.fold(name).translate(LOOK_ALIKES)


def same_company(one: str, other: str) -> bool:
    """Whether two ways to write a name mean the same company: order, case, accents, punctuation
    and the legal form do not count, every other word does.
    """
    core = _core_words(one)
    return bool(core) and core == _core_words(other)


def _core_words(name: str) -> list[str]:
    # Points join ("S.A.R.L."), everything else that is no letter or digit parts.
    joined = text.fold(name.replace("ß", "ss")).replace(".", "")
    words = "".join(c if c.isalnum() else " " for c in joined).split()
    core = [word for word in words if word not in LEGAL_FORMS and word not in LINKS]
    return sorted(core or words)
