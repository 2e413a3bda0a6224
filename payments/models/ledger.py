"""The ledger: double entry, append-only, guarded by the database itself.

Amounts are whole minor units; credit is +, debit is −. Only `payments.ledger` writes here. What
must never be (a journal that does not sum to zero, a second thought, a balance below its floor) is
refused by PostgreSQL, whoever asks.
"""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from marketplace.core import clock
from marketplace.core.fields import Xid8Field
from marketplace.core.guards import Guard, append_only


class Account(models.Model):
    """One account of the chart, in one currency. Made when it is first needed."""

    class Role(models.TextChoices):
        """The chart. What stands after the colon of a name, like `held:<hold>`, is the owner."""

        # What we have. Money on our side is a debit, so these balances are negative.
        STRIPE_BALANCE = "stripe_balance", _("Our balance at Stripe")
        BANK = "bank", _("Our bank account")
        FREELANCER_RECEIVABLE = "freelancer_receivable", _("Owed to us by a freelancer")
        SUSPENSE = "suspense", _("Money nobody has placed yet")
        # What we owe.
        HELD = "held", _("Held for a piece of work")
        CLIENT_FEE_HELD = "client_fee_held", _("Client fee of held money")
        DISPUTE_HOLD = "dispute_hold", _("Paused by a dispute")
        PENDING = "pending", _("Released, inside the security hold")
        PAYABLE = "payable", _("Owed to a freelancer")
        CLIENT_CREDIT = "client_credit", _("Owed to a client")
        TRANSFER_CLEARING = "transfer_clearing", _("On its way to a freelancer")
        REFUND_CLEARING = "refund_clearing", _("On its way back to a client")
        VAT_PAYABLE = "vat_payable", _("VAT owed")
        # What we earn and spend.
        FEE_REVENUE = "fee_revenue", _("Fees earned")
        STRIPE_FEES = "stripe_fees", _("Fees of Stripe")
        DISPUTE_FEES = "dispute_fees", _("Fees of card disputes")
        CHARGEBACK_LOSS = "chargeback_loss", _("Lost to card disputes")
        CHARGEBACK_RESERVE = "chargeback_reserve", _("Set aside for card disputes")
        RESERVE_COST = "reserve_cost", _("Cost of what is set aside")
        BAD_DEBT = "bad_debt", _("Debts written off")
        ROUNDING = "rounding", _("Rounding")
        FX_CLEARING = "fx_clearing", _("Between two currencies")

    class Mode(models.TextChoices):
        # The balance stands in a row: moving it locks it, so it can have a floor.
        INLINE = "i", _("kept inline")
        # The balance is summed now and then: nobody waits for anybody.
        DEFERRED = "d", _("rolled up")

    role = models.CharField(max_length=24, choices=Role)
    # Ref of the hold, party, transfer or refund it belongs to; empty for our own accounts.
    owner_key = models.CharField(max_length=20, blank=True)
    currency = models.CharField(max_length=3)
    mode = models.CharField(max_length=1, choices=Mode)
    floor = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("ledger account")
        constraints = [
            models.UniqueConstraint(fields=["role", "owner_key", "currency"], name="account_once"),
            models.CheckConstraint(
                condition=Q(currency__regex="^[A-Z]{3}$"), name="account_iso_currency"
            ),
            # A floor needs a balance that is locked while it moves.
            models.CheckConstraint(
                condition=Q(mode="i") | Q(mode="d", floor__isnull=True), name="account_mode"
            ),
        ]
        triggers = [
            *append_only(),
            Guard(
                name="open_balance",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="""
                    IF NEW.mode = 'i' THEN
                        INSERT INTO payments_balance (account_id, posted, floor, version)
                        VALUES (NEW.id, 0, NEW.floor, 0);
                    ELSE
                        INSERT INTO payments_rollup (account_id, posted, upto)
                        VALUES (NEW.id, 0, '0');
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role}:{self.owner_key}" if self.owner_key else self.role


class Balance(models.Model):
    """What an inline account holds: the sum of its entries, moved by the database with them."""

    account = models.OneToOneField(Account, models.PROTECT, primary_key=True)
    posted = models.BigIntegerField(default=0)
    floor = models.BigIntegerField(null=True)
    version = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("ledger balance")
        constraints = [
            # Of two who want the same money the second meets this.
            models.CheckConstraint(
                condition=Q(floor__isnull=True) | Q(posted__gte=F("floor")),
                name="balance_not_below_floor",
            ),
        ]
        triggers = [
            Guard(
                name="only_by_entries",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func="""
                    -- Depth 1 is this trigger alone; at 2 another guard of ours is behind it.
                    IF pg_trigger_depth() < 2 OR TG_OP = 'DELETE' THEN
                        RAISE EXCEPTION '% of a balance is refused: only entries move it', TG_OP
                            USING ERRCODE = 'restrict_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            append_only()[1],
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.posted}"


class Journal(models.Model):
    """One happening in money: two entries or more that sum to zero in each currency."""

    # Names the happening, like `charge:ch_1`: posting it twice is posting it once.
    idempotency_key = models.CharField(max_length=120, unique=True)
    # Digest of the content, so that a key cannot come back with another one.
    fingerprint = models.CharField(max_length=64)
    kind = models.CharField(max_length=40)
    # Undoes that journal; unique, so nothing is undone twice.
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    # What it is about outside the ledger: a Stripe id or one of our refs.
    ref = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    xid = Xid8Field(db_default=Func(function="pg_current_xact_id"), editable=False)

    class Meta:
        verbose_name = _("journal")
        indexes = [
            models.Index(fields=["ref"], name="journal_ref"),
            models.Index(fields=["created_at"], name="journal_created"),
        ]
        triggers = [
            *append_only(),
            Guard(
                name="own_transaction",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="NEW.xid := pg_current_xact_id(); RETURN NEW;",
            ),
            Guard(
                name="has_entries",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                func="""
                    IF (SELECT count(*) FROM payments_entry WHERE journal_id = NEW.id) < 2 THEN
                        RAISE EXCEPTION 'journal % has fewer than two entries', NEW.id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_has_entries';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.idempotency_key


class Entry(models.Model):
    """One leg of a journal."""

    # Journals and accounts are never changed or removed, so the guard below looks once and needs no
    # lock. A foreign key would lock the fee account for every posting that shares it.
    journal = models.ForeignKey(
        Journal, models.PROTECT, related_name="entries", db_constraint=False
    )
    account = models.ForeignKey(
        Account, models.PROTECT, related_name="entries", db_index=False, db_constraint=False
    )
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    xid = Xid8Field(db_default=Func(function="pg_current_xact_id"), editable=False)

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        indexes = [models.Index(fields=["account", "xid"], name="entry_roll_up")]
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="entry_not_zero")]
        triggers = [
            *append_only(),
            Guard(
                name="same_transaction",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    NEW.xid := pg_current_xact_id();
                    PERFORM 1 FROM payments_journal WHERE id = NEW.journal_id AND xid = NEW.xid;
                    IF NOT FOUND THEN
                        RAISE EXCEPTION 'journal % is closed: its transaction has ended',
                            NEW.journal_id USING ERRCODE = 'restrict_violation';
                    END IF;
                    PERFORM 1 FROM payments_account
                    WHERE id = NEW.account_id AND currency = NEW.currency;
                    IF NOT FOUND THEN
                        RAISE EXCEPTION 'there is no account % in %', NEW.account_id, NEW.currency
                            USING ERRCODE = 'foreign_key_violation',
                                  CONSTRAINT = 'entry_account_currency';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="zero_sum",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                func="""
                    IF EXISTS (
                        SELECT 1 FROM payments_entry WHERE journal_id = NEW.journal_id
                        GROUP BY currency HAVING sum(amount) <> 0
                    ) THEN
                        RAISE EXCEPTION 'journal % does not sum to zero', NEW.journal_id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_sums_to_zero';
                    END IF;
                    RETURN NULL;
                """,
            ),
            Guard(
                name="move_balances",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                level=pgtrigger.Statement,
                referencing=pgtrigger.Referencing(new="added"),
                # Locked in one order by everybody, so two postings never wait for each other.
                func="""
                    PERFORM 1 FROM payments_balance
                    WHERE account_id IN (SELECT account_id FROM added)
                    ORDER BY account_id FOR UPDATE;
                    UPDATE payments_balance AS balance
                    SET posted = balance.posted + moved.amount, version = balance.version + 1
                    FROM (SELECT account_id, sum(amount)::bigint AS amount
                          FROM added GROUP BY account_id) AS moved
                    WHERE balance.account_id = moved.account_id;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


class Rollup(models.Model):
    """What a deferred account held, counting every entry of transactions below `upto`."""

    account = models.OneToOneField(Account, models.PROTECT, primary_key=True)
    posted = models.BigIntegerField(default=0)
    upto = Xid8Field(default=0)

    class Meta:
        verbose_name = _("roll-up")

    def __str__(self) -> str:
        return f"{self.account_id}: {self.posted} below {self.upto}"
