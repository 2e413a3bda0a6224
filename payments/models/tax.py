"""VAT: the rates of countries by date, and what the registers said about VAT ids."""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core import clock
from marketplace.core.display import percent_text
from marketplace.core.guards import Guard, append_only
from marketplace.core.ids import RefField
from marketplace.core.status import StatusModel
from payments.models.breaks import A_SENTENCE


class TaxKind(models.TextChoices):
    """How VAT falls on one supply; `payments.services.vat.decide` says when which."""

    DOMESTIC = "domestic", _("VAT of the seller’s country")
    DESTINATION = "destination", _("VAT of the customer’s country")
    REVERSE_CHARGE = "reverse_charge", _("Reverse charge")
    OUTSIDE = "outside", _("Outside the seller’s VAT")
    NOT_REGISTERED = "not_registered", _("Seller not registered for VAT")


class VatRate(models.Model):
    """A country's standard rate from a day on. Never changed: a new rate is a new row, and a row
    for the same day corrects the one before it.
    """

    country = models.CharField(_("country"), max_length=2)
    starts_on = models.DateField(_("from"))
    rate_bps = models.PositiveIntegerField(
        _("rate"), help_text=_("In hundredths of a percent: 1900 is 19%.")
    )
    source = models.CharField(
        _("source"), max_length=200, help_text=_("The law or the page that says so.")
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    # Nobody for the rows that came with the installation, which stay when a database is emptied of
    # people; so the database itself does not tie the two.
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_constraint=False,
    )

    class Meta:
        verbose_name = _("VAT rate")
        constraints = [
            models.CheckConstraint(
                condition=Q(country__regex="^[A-Z]{2}$"), name="vat_rate_country"
            ),
            models.CheckConstraint(condition=Q(rate_bps__lte=5000), name="vat_rate_bounded"),
            models.CheckConstraint(condition=~Q(source=""), name="vat_rate_has_source"),
        ]
        indexes = [
            models.Index(fields=["country", "-starts_on", "-id"], name="vat_rate_of_country"),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.country} {percent_text(self.rate_bps)} from {self.starts_on}"


class VatCheck(StatusModel):
    """One question to the register of VAT ids, and its answer: the proof behind a reverse charge.

    asked → valid | invalid | unavailable (no answer for a day)
    """

    class Status(models.TextChoices):
        ASKED = "asked", _("Being checked")
        VALID = "valid", _("Valid")
        INVALID = "invalid", _("Not valid")
        UNAVAILABLE = "unavailable", _("No answer")

    class NameMatch(models.TextChoices):
        """Whether the register's name of the holder is the one the party goes by."""

        MATCH = "match", _("The same name")
        DIFFERS = "differs", _("Another name")
        UNKNOWN = "unknown", _("The register tells no name")

    class Source(models.TextChoices):
        VIES = "vies", _("VIES")
        TEST = "test", _("Test: nobody was asked")

    MOVES: ClassVar[dict[str, set[str]]] = {"asked": {"valid", "invalid", "unavailable"}}

    ref = RefField()
    status = models.CharField(max_length=24, choices=Status, default=Status.ASKED)
    party = models.ForeignKey(Party, models.PROTECT, related_name="vat_checks")
    vat_id = models.CharField(_("VAT id"), max_length=20)
    source = models.CharField(max_length=8, choices=Source)
    asked_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)
    # The register's own number of this consultation; it gives one only to those who say who asks.
    consultation = models.CharField(max_length=80, blank=True)
    # The name the party went by when we asked, the register's name, and how they compare.
    claimed_name = models.CharField(max_length=160, blank=True)
    registered_name = models.CharField(_("registered name"), max_length=240, blank=True)
    name_match = models.CharField(_("name"), max_length=8, choices=NameMatch, blank=True)
    # A person of ours has looked: another spelling, or a register that tells no names.
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    confirmed_because = models.TextField(blank=True)
    confirmed_at = models.DateTimeField(null=True)
    # Of the raw answer, which also holds an address we have no use for.
    answer_sha256 = models.CharField(max_length=64, blank=True)
    # Why there is no answer yet, in the register's word.
    failure = models.CharField(max_length=80, blank=True)
    # When to ask again, so that the proof does not grow too old.
    due_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("VAT id check")
        verbose_name_plural = _("VAT id checks")
        permissions = [("act_on_vatcheck", _("Can confirm whose VAT id it is"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["asked", "valid", "invalid", "unavailable"]),
                name="vat_check_status",
            ),
            models.CheckConstraint(condition=~Q(vat_id=""), name="vat_check_has_id"),
            models.CheckConstraint(
                condition=Q(status="asked", ended_at__isnull=True)
                | (~Q(status="asked") & Q(ended_at__isnull=False)),
                name="vat_check_end_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["asked", "unavailable"], answer_sha256="")
                | (Q(status__in=["valid", "invalid"]) & ~Q(answer_sha256="")),
                name="vat_check_answer_kept",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None, confirmed_because="", confirmed_at=None)
                | Q(
                    status="valid",
                    confirmed_because__regex=A_SENTENCE,
                    confirmed_at__isnull=False,
                    confirmed_by__isnull=False,
                ),
                name="vat_check_confirmed_with_reason",
            ),
            models.UniqueConstraint(
                fields=["party", "vat_id"], condition=Q(status="asked"), name="vat_check_once"
            ),
        ]
        indexes = [
            models.Index(fields=["party", "-id"], name="vat_check_of_party"),
            models.Index(
                fields=["due_at"], condition=Q(due_at__isnull=False), name="vat_check_due"
            ),
        ]
        triggers = [
            # An answer stays as it was given; only the date of the next question goes.
            Guard(
                name="answer_kept",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF OLD.status <> 'asked' AND ROW(NEW.status, NEW.party_id, NEW.vat_id,
                        NEW.source, NEW.asked_at, NEW.ended_at, NEW.consultation,
                        NEW.answer_sha256, NEW.claimed_name, NEW.registered_name, NEW.name_match)
                        IS DISTINCT FROM ROW(OLD.status, OLD.party_id,
                        OLD.vat_id, OLD.source, OLD.asked_at, OLD.ended_at, OLD.consultation,
                        OLD.answer_sha256, OLD.claimed_name, OLD.registered_name, OLD.name_match)
                        OR OLD.confirmed_by_id IS NOT NULL AND ROW(NEW.confirmed_by_id,
                        NEW.confirmed_because, NEW.confirmed_at) IS DISTINCT FROM
                        ROW(OLD.confirmed_by_id, OLD.confirmed_because, OLD.confirmed_at)
                    THEN
                        RAISE EXCEPTION 'the answer about a VAT id is written once'
                            USING ERRCODE = 'restrict_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.vat_id}: {self.get_status_display()}"

    @property
    def proves(self) -> bool:
        """Whether the id is valid, and is the party's as far as anybody can tell."""
        named = self.name_match == self.NameMatch.MATCH or self.confirmed_by_id is not None
        return self.status == self.Status.VALID and named
