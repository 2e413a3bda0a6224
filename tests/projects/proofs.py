"""After every new way for money: the books and the market still tell one story."""

from django.db import connection

from marketplace.pages import proofs
from payments.services import verification


def nothing_is_broken() -> None:
    """What `verify_ledger` and `verify_state` look at, inside the transaction of a test."""
    with connection.cursor() as cursor:
        broken = {each.title: each.broken for each in verification.findings(cursor) if each.broken}
    assert broken == {}
    looked_at, problems = proofs.broken_laws()
    assert looked_at
    assert problems == []
