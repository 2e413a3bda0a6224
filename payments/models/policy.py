"""Fees, windows and limits, versioned: a contract keeps the version it was signed under."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace.core.guards import append_only


class PlatformPolicy(models.Model):
    """One version of the rules; in force from `starts_at` until the next one starts.

    Never changed after the fact: a new version is a new row.
    """

    starts_at = models.DateTimeField(unique=True)
    freelancer_fee_bps = models.PositiveIntegerField(default=800)
    client_fee_bps = models.PositiveIntegerField(default=300)
    review_days = models.PositiveSmallIntegerField(default=14)
    change_rounds = models.PositiveSmallIntegerField(default=2)
    very_late_hours = models.PositiveSmallIntegerField(
        default=24, help_text=_("So long after the due date the client may call it off alone.")
    )
    proposal_answer_days = models.PositiveSmallIntegerField(
        default=4, help_text=_("After this a proposal nobody answered lapses.")
    )
    change_order_pay_days = models.PositiveSmallIntegerField(
        default=7, help_text=_("After this, extra work both agreed on and nobody paid is off.")
    )
    cancel_answer_hours = models.PositiveSmallIntegerField(
        default=72, help_text=_("So long the freelancer has to answer a wish to call off.")
    )
    end_answer_days = models.PositiveSmallIntegerField(
        default=7, help_text=_("The same for a wish to end the contract while money is held.")
    )
    end_consent_days = models.PositiveSmallIntegerField(
        default=30,
        help_text=_("So long a yes to end a contract holds while other money is still out."),
    )
    # How long released money waits before it is sent to the payee (rule M9).
    security_hold_by_tier = models.BooleanField(
        default=True,
        help_text=_("By the payee's record; otherwise the same number of days for everybody."),
    )
    security_hold_days = models.PositiveSmallIntegerField(
        default=0, help_text=_("For everybody, when it does not go by the payee's record.")
    )
    hold_days_first_payment = models.PositiveSmallIntegerField(
        default=10, help_text=_("Until money of this client has once been paid out to anybody.")
    )
    hold_days_tier_1 = models.PositiveSmallIntegerField(default=5)
    hold_days_tier_2 = models.PositiveSmallIntegerField(default=2)
    hold_days_tier_3 = models.PositiveSmallIntegerField(default=0)
    hold_days_bonus = models.PositiveSmallIntegerField(default=5)
    tier_2_contracts = models.PositiveSmallIntegerField(
        default=3, help_text=_("Finished contracts, none disputed, for tier 2.")
    )
    tier_3_contracts = models.PositiveSmallIntegerField(
        default=10, help_text=_("Finished contracts, none disputed, for tier 3.")
    )
    # Nobody does anything about held money (rule M11): after so many days without a sign of life
    # since the last due date, each side in turn has some days to say what shall become of it.
    dormant_days = models.PositiveSmallIntegerField(default=45)
    dormant_first_notice_days = models.PositiveSmallIntegerField(
        default=14, help_text=_("So long before, both sides are told.")
    )
    dormant_last_notice_days = models.PositiveSmallIntegerField(
        default=7, help_text=_("So long before, both sides are told once more.")
    )
    dormant_client_days = models.PositiveSmallIntegerField(default=7)
    dormant_freelancer_days = models.PositiveSmallIntegerField(default=7)
    dormant_answer_days = models.PositiveSmallIntegerField(default=14)
    bonus_days = models.PositiveSmallIntegerField(
        default=180, help_text=_("So long after a contract's end the client may still pay a bonus.")
    )
    give_back_days = models.PositiveSmallIntegerField(
        default=180, help_text=_("So long after a release the payee may give money back.")
    )
    dispute_answer_days = models.PositiveSmallIntegerField(default=5)
    dispute_decision_days = models.PositiveSmallIntegerField(default=5)
    # What is set aside of each release for card disputes about protected work (rule C7), and how
    # much of that one freelancer's work may cost it in a year.
    reserve_bps = models.PositiveIntegerField(default=50)
    protected_loss_limit = models.PositiveIntegerField(
        null=True,
        blank=True,
        default=10_000,
        help_text=_(
            "So much of one freelancer's lost card payments the reserve carries in a calendar "
            "year, in major units; what is over it is treated like unprotected work. Empty for no "
            "limit."
        ),
    )
    stop_review_days = models.PositiveSmallIntegerField(
        default=14,
        help_text=_("After so many days somebody looks again at a client who may not publish."),
    )
    evidence_hours = models.PositiveSmallIntegerField(
        default=24,
        help_text=_(
            "So long before a bank's deadline collected evidence goes out without a person."
        ),
    )
    review_window_days = models.PositiveSmallIntegerField(default=14)
    project_open_days = models.PositiveSmallIntegerField(default=30)
    # The custody stop: held money may not stay longer; both sides are warned twice before.
    deposit_max_days = models.PositiveSmallIntegerField(default=85)
    custody_first_warning_days = models.PositiveSmallIntegerField(default=60)
    custody_last_warning_days = models.PositiveSmallIntegerField(default=75)
    milestone_longest_days = models.PositiveSmallIntegerField(
        default=60, help_text=_("A milestone planned for longer must be split.")
    )
    smallest_amount = models.PositiveIntegerField(
        default=5, help_text=_("Smallest bid or milestone, in major units of the currency.")
    )
    bids_open_limit = models.PositiveSmallIntegerField(default=30)
    bids_per_day_limit = models.PositiveSmallIntegerField(default=10)

    reversal_limit = models.PositiveIntegerField(
        default=100,
        help_text=_(
            "Journals of more than this, in major units, are reversed by two members of staff."
        ),
    )
    vat_check_days = models.PositiveSmallIntegerField(
        default=90,
        help_text=_("So long the register's word about a VAT id is good for a reverse charge."),
    )
    bank_change_days = models.PositiveSmallIntegerField(
        default=3, help_text=_("So long payouts wait after a payee's bank details changed.")
    )
    # Tax details a European payee owes us (rule DAC7; the directive's sixty days are the least).
    tax_reminder_days = models.PositiveSmallIntegerField(
        default=20, help_text=_("So long after asking, and again so long later, we remind.")
    )
    tax_pause_days = models.PositiveSmallIntegerField(
        default=60, help_text=_("So long after asking, unanswered, payouts to banks wait.")
    )
    tax_review_days = models.PositiveSmallIntegerField(
        default=14, help_text=_("After so many days somebody looks again at such a pause.")
    )
    # Trying weights of the matcher beside the active ones, before they may be used.
    shadow_days = models.PositiveSmallIntegerField(
        default=7, help_text=_("So long weights of the matcher are tried before they may be used.")
    )
    shadow_lists = models.PositiveSmallIntegerField(
        default=50, help_text=_("So many lists are compared before they may be used.")
    )
    shadow_percent = models.PositiveSmallIntegerField(
        default=20, help_text=_("Of every hundred lists, so many are also made with tried weights.")
    )
    shadow_loss = models.PositiveSmallIntegerField(
        default=5,
        help_text=_(
            "Weights may be worse than the active ones on the benchmark by so many thousandths of "
            "nDCG@10."
        ),
    )
    match_appeal_days = models.PositiveSmallIntegerField(
        default=7, help_text=_("So long a person has to answer an appeal against a suggestion.")
    )
    match_appeal_reminder_days = models.PositiveSmallIntegerField(
        default=2, help_text=_("So long before that, and every day after it, staff are reminded.")
    )
    # What the market's past may tell: from how many contracts and people on, and how far back.
    insight_contracts = models.PositiveSmallIntegerField(
        default=8, help_text=_("Fewer finished contracts than this make no price range.")
    )
    insight_people = models.PositiveSmallIntegerField(
        default=5,
        help_text=_("Figures that fewer clients or freelancers stand behind are not shown."),
    )
    insight_months = models.PositiveSmallIntegerField(
        default=24, help_text=_("So far back prices and months are counted.")
    )
    silence_days = models.PositiveSmallIntegerField(
        default=7,
        help_text=_("After so many days without a sign of life a contract’s outlook says so."),
    )
    # Payouts within minutes (rule M10), for a fee that is what they cost.
    instant_payouts = models.BooleanField(
        default=True, help_text=_("Offered to payees whose released money does not wait.")
    )
    instant_payout_days = models.PositiveSmallIntegerField(
        default=7, help_text=_("So old the payout account and its bank details must be for that.")
    )
    # Who wrote this version; nobody for the one that came with the installation. Shipped rows
    # stay when a database is emptied of people, so the database itself does not tie the two.
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_constraint=False,
    )

    class Meta:
        verbose_name = _("platform policy")
        verbose_name_plural = _("platform policies")
        constraints = [
            models.CheckConstraint(
                condition=Q(freelancer_fee_bps__lte=5000, client_fee_bps__lte=5000),
                name="policy_fees_bounded",
            ),
            models.CheckConstraint(
                condition=Q(review_days__range=(3, 30)), name="policy_review_days"
            ),
            models.CheckConstraint(
                condition=Q(custody_first_warning_days__gt=0)
                & Q(custody_last_warning_days__gt=F("custody_first_warning_days"))
                & Q(deposit_max_days__gt=F("custody_last_warning_days")),
                name="policy_custody_warns_first",
            ),
            models.CheckConstraint(
                condition=Q(tier_2_contracts__gt=0, tier_3_contracts__gt=F("tier_2_contracts"))
                & Q(hold_days_tier_1__gte=F("hold_days_tier_2"))
                & Q(hold_days_tier_2__gte=F("hold_days_tier_3")),
                name="policy_tiers_rise",
            ),
            models.CheckConstraint(
                condition=Q(cancel_answer_hours__range=(24, 720), end_answer_days__range=(1, 30)),
                name="policy_answers_bounded",
            ),
            models.CheckConstraint(
                condition=Q(
                    dormant_last_notice_days__gt=0,
                    dormant_first_notice_days__gt=F("dormant_last_notice_days"),
                    dormant_days__gt=F("dormant_first_notice_days"),
                    dormant_client_days__gt=0,
                    dormant_freelancer_days__gt=0,
                    dormant_answer_days__gt=0,
                ),
                name="policy_dormancy_tells_first",
            ),
            models.CheckConstraint(
                condition=Q(proposal_answer_days__range=(1, 30)), name="policy_proposal_days"
            ),
            models.CheckConstraint(
                condition=Q(change_order_pay_days__range=(1, 30)), name="policy_change_order_days"
            ),
            models.CheckConstraint(
                condition=Q(reserve_bps__lte=F("freelancer_fee_bps") + F("client_fee_bps")),
                name="policy_reserve_out_of_fees",
            ),
            models.CheckConstraint(
                condition=Q(stop_review_days__range=(1, 90)), name="policy_stop_review_days"
            ),
            models.CheckConstraint(
                condition=Q(evidence_hours__range=(1, 72)), name="policy_evidence_hours"
            ),
            models.CheckConstraint(
                condition=Q(vat_check_days__range=(1, 366)), name="policy_vat_check_days"
            ),
            models.CheckConstraint(
                condition=Q(
                    match_appeal_days__range=(1, 30),
                    match_appeal_reminder_days__gt=0,
                    match_appeal_reminder_days__lt=F("match_appeal_days"),
                ),
                name="policy_match_appeal_reminds",
            ),
            models.CheckConstraint(
                condition=Q(bank_change_days__range=(1, 30)), name="policy_bank_change_days"
            ),
            models.CheckConstraint(
                condition=Q(
                    tax_reminder_days__range=(7, 90),
                    tax_pause_days__range=(60, 366),
                    tax_review_days__range=(1, 90),
                ),
                name="policy_tax_details",
            ),
            models.CheckConstraint(
                condition=Q(
                    shadow_days__range=(1, 90),
                    shadow_lists__range=(1, 5000),
                    shadow_percent__range=(1, 100),
                    shadow_loss__lte=50,
                ),
                name="policy_shadow_bounded",
            ),
            # Whoever runs a market may ask for more people behind a figure, never for fewer.
            models.CheckConstraint(
                condition=Q(
                    insight_contracts__gte=8,
                    insight_people__gte=5,
                    insight_months__range=(12, 60),
                    silence_days__range=(2, 60),
                ),
                name="policy_insight_hides_people",
            ),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"policy {self.pk} from {self.starts_at:%Y-%m-%d}"
