"""How a payee stands with Stripe, in words."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from accounts.models import Party
from payments.models import PayoutAccount, SellerDetails


def payout_account_of(party: Party) -> PayoutAccount | None:
    """The party's account at Stripe, if they ever started one."""
    return PayoutAccount.objects.filter(party=party).first()


def seller_details_of(party: Party) -> SellerDetails | None:
    """What the party told us for the tax office, if anything."""
    return SellerDetails.objects.filter(party=party).first()


def missing(account: PayoutAccount) -> list[str]:
    """What Stripe still asks for, in our words, each thing once."""
    return list(dict.fromkeys(_in_words(name) for name in account.requirements))


def _in_words(name: str) -> str:
    for part, words in _words():
        if part in name:
            return words
    return name.replace("_", " ").replace(".", ", ")


def _words() -> Iterable[tuple[str, str]]:
    """Parts of Stripe's names, the more special first."""
    return (
        ("external_account", _("A bank account in your name")),
        ("tos_acceptance", _("Your yes to Stripe’s terms")),
        ("verification.document", _("A picture of an identity document")),
        ("verification", _("A proof of who you are")),
        ("id_number", _("Your tax or identity number")),
        (".dob", _("Your date of birth")),
        (".address", _("Your address")),
        (".phone", _("A phone number")),
        (".email", _("An e-mail address")),
        ("_name", _("Your name as on your identity document")),
        ("business_profile", _("What you sell and where people find it")),
        ("business_type", _("Whether you work alone or as a company")),
        ("owners", _("Who owns your company")),
        ("directors", _("Who directs your company")),
        ("company.", _("Your company’s details")),
    )
