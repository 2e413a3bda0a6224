"""Statuses that move along drawn arrows only, one winner per race."""

from typing import Any, ClassVar

from django.db import models

from marketplace.core.errors import InvalidTransition


class StatusModel(models.Model):
    """A model whose `status` only moves along the arrows in `MOVES`."""

    MOVES: ClassVar[dict[str, set[str]]]
    status = models.CharField(max_length=24)

    class Meta:
        abstract = True

    def move_to(self, new: str, **changes: Any) -> None:
        """Swap the status, and set `changes`, in one guarded UPDATE.

        Of two racing callers one gets InvalidTransition and nothing of its transaction stays.
        """
        old = self.status
        allowed = new in self.MOVES.get(old, set())
        rows = type(self)._default_manager.filter(pk=self.pk, status=old)
        if not allowed or not rows.update(status=new, **changes):
            raise InvalidTransition
        self.status = new
        for name, value in changes.items():
            setattr(self, name, value)
