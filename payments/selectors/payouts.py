"""How a payee stands with Stripe and where their money is on its last way, in words."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.db.models import Count, F, Q, Subquery, Sum
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.models import Party, User
from marketplace.core.display import moment_text
from marketplace.core.money import Money
from payments.models import BankDetails, Payout, PayoutAccount, SellerDetails, TaxRequest
from payments.selectors.overviews import money_parties

State = BankDetails.Status

SALT = "payments.bank-report"
LINK_LASTS = dt.timedelta(days=60)


def payout_account_of(party: Party) -> PayoutAccount | None:
    """The party's account at Stripe, if they ever started one."""
    return PayoutAccount.objects.filter(party=party).first()


def seller_details_of(party: Party) -> SellerDetails | None:
    """What the party told us for the tax office, if anything."""
    return SellerDetails.objects.filter(party=party).first()


def banks_of(account: PayoutAccount) -> list[BankDetails]:
    """Where the account pays out to now, by currency."""
    return list(account.banks.filter(replaced_at=None).order_by("currency"))


@dataclass(frozen=True)
class Pause:
    """Why no payout leaves an account now, and until when if time alone ends it."""

    kind: str
    text: str
    until: dt.datetime | None = None

    @property
    def is_ours(self) -> bool:
        """Whether Stripe would pay out if we did not stop it."""
        return self.kind != "stripe"


def pause_of(account: PayoutAccount) -> Pause | None:
    """Why no payout may leave the account now; None when all is well."""
    banks = list(account.banks.filter(Q(replaced_at=None) | Q(status=State.REPORTED)))
    if any(bank.status == State.REPORTED for bank in banks):
        return Pause(
            "reported",
            _(
                "You told us that you did not change your bank details. Nothing is paid out until "
                "we have looked into it with you."
            ),
        )
    if TaxRequest.objects.filter(party=account.party_id, status=TaxRequest.Status.PAUSED).exists():
        return Pause(
            "tax",
            _(
                "Tax law wants details of you that we asked for three times. Payouts go on as soon "
                "as you have given them."
            ),
        )
    waits = [bank.due_at for bank in banks if bank.status == State.COOLING and bank.due_at]
    if waits:
        until = max(waits)
        said = _("Your bank details are new. Payouts start again %(when)s.")
        return Pause("cooling", said % {"when": moment_text(until)}, until)
    if any(bank.errored for bank in banks):
        return Pause("bounced", _("A payout came back. Give Stripe other bank details first."))
    if not account.payouts_enabled:
        return Pause("stripe", _("Stripe does not pay out from your account at the moment."))
    return None


@dataclass(frozen=True)
class CalledOff:
    """What became of the payouts that were leaving when the payee said "it was not me"."""

    done: int
    asked: int
    too_late: int


def called_off(account: PayoutAccount) -> CalledOff:
    """How many are called off, still being asked about, and gone: numbers without amounts.

    The page is for whoever has the link of a mail.
    """
    counts = account.payouts.exclude(call_off_at=None).aggregate(
        done=Count("pk", filter=Q(status=Payout.Status.CANCELED)),
        too_late=Count("pk", filter=~Q(status=Payout.Status.CANCELED) & ~Q(call_off_failure="")),
        asked=Count("pk", filter=Q(status=Payout.Status.PENDING, call_off_failure="")),
    )
    return CalledOff(**counts)


def ready_for_bank(account: PayoutAccount) -> list[Money]:
    """What can go to the bank at once, as Stripe last said, without what is leaving just now."""
    leaving = account.payouts.filter(status=Payout.Status.REQUESTED)
    asked = dict(
        leaving.values_list("currency").annotate(sum=Sum(F("amount_minor") + F("fee_minor")))
    )
    left = {
        currency: minor - asked.get(currency, 0) for currency, minor in account.available.items()
    }
    return [Money(minor, currency) for currency, minor in sorted(left.items()) if minor > 0]


def payout_account_to_manage(user: User) -> PayoutAccount:
    """The user's own account at Stripe once it is open; 404 before."""
    account = PayoutAccount.objects.filter(party=user.own_party).exclude(stripe_id="").first()
    if account is None:
        raise Http404
    return account


def link_token(bank: BankDetails) -> str:
    """What a link in a mail carries to say "it was not me" without signing in."""
    return signing.dumps(bank.ref, salt=SALT)


def bank_to_report(token: str) -> BankDetails:
    """The bank details a link in a mail is about; 404 for a forged or old one."""
    try:
        ref = signing.loads(token, salt=SALT, max_age=LINK_LASTS)
    except signing.BadSignature as error:
        raise Http404 from error
    return get_object_or_404(BankDetails.objects.select_related("account__party"), ref=ref)


def currency_of(account: PayoutAccount) -> str:
    """The currency the payee's bank takes, or what they are most likely paid in."""
    banks = banks_of(account)
    return banks[0].currency if banks else settings.DEFAULT_CURRENCY


def payouts_of(user: User, *, after: str = "", limit: int = 20) -> tuple[list[Payout], str]:
    """Payouts to the banks of the user's parties, newest first, and the cursor of the next page."""
    rows = Payout.objects.filter(account__party__in=money_parties(user)).select_related("bank")
    if after:
        rows = rows.filter(pk__lt=Subquery(Payout.objects.filter(ref=after).values("pk")))
    found = list(rows.order_by("-pk")[: limit + 1])
    shown = found[:limit]
    return shown, shown[-1].ref if len(found) > limit else ""


def missing(account: PayoutAccount) -> list[str]:
    """What Stripe still asks for, in our words, each thing once."""
    return list(dict.fromkeys(_in_words(name) for name in account.requirements))


def overdue(account: PayoutAccount) -> list[str]:
    """What of it should have been there already and stops payouts."""
    return list(dict.fromkeys(_in_words(name) for name in account.past_due))


def why_disabled(account: PayoutAccount) -> str:
    """Why Stripe pays nothing out, and what to do about it; empty when it does."""
    if not account.disabled_reason:
        return ""
    if account.is_lost:
        return _(
            "Your Stripe account is no longer connected to us. Set up payouts again and we send "
            "what waits for you."
        )
    for part, words in _reasons():
        if account.disabled_reason.startswith(part):
            return words
    return _("Stripe has stopped your account. Continue at Stripe to see what it needs.")


def _reasons() -> Iterable[tuple[str, str]]:
    """Beginnings of Stripe's reasons, the more special first."""
    return (
        (
            "requirements.pending_verification",
            _("Stripe is checking what you sent. That takes a few minutes, rarely two days."),
        ),
        ("requirements", _("Stripe asked for something and has not got it in time.")),
        (
            "rejected",
            _(
                "Stripe has closed your account and does not open it again. Write to us: your "
                "money stays yours and we find another way."
            ),
        ),
        ("listed", _("Stripe has to compare your name with a list. It writes to you itself.")),
        ("under_review", _("Stripe is reviewing your account. It writes to you itself.")),
        ("platform_paused", _("We have paused your account. Write to us.")),
        ("action_required", _("Stripe needs you to confirm something. Continue at Stripe.")),
    )


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
