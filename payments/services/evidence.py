"""What speaks for us when a bank disputes a payment: collected by rule, sent by a person.

The market knows what a payment was for. It answers `signals.work_record_wanted`; payments knows no
more of it than the record below.
"""

import datetime as dt
from dataclasses import dataclass, field

from payments import signals
from payments.models import Hold


@dataclass(frozen=True)
class WorkRecord:
    """What a hold was for, as the market recorded it."""

    title: str
    terms: str
    agreed_at: dt.datetime
    # One line each: when, which round, what was handed over.
    deliveries: list[str] = field(default_factory=list)
    accepted_at: dt.datetime | None = None
    messages: int = 0

    @property
    def is_delivered(self) -> bool:
        """Whether work was handed over in the product."""
        return bool(self.deliveries)


def work_record(hold: Hold) -> WorkRecord | None:
    """The record of the work behind a hold; None when nobody knows of any."""
    answers = [answer for _who, answer in signals.work_record_wanted.send(sender=Hold, hold=hold)]
    return next((answer for answer in answers if isinstance(answer, WorkRecord)), None)
