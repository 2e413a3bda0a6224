"""What can go wrong in a rule, said in a sentence a person can read."""

from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """A rule refused. `str(error)` is shown to the person; `code` is for programs.

    `field` names the input the sentence belongs to, when there is one.
    """

    code = "refused"
    status = 409

    def __init__(self, message: object = "", *, code: str = "", field: str | None = None) -> None:
        super().__init__(str(message or self.default_message))
        self.code = code or self.code
        self.field = field

    default_message: object = _("This is not possible now.")


class InvalidTransition(DomainError):
    """Someone else was first, or the step does not exist from here."""

    code = "changed_meanwhile"
    default_message = _("This changed a moment ago. Here is the current version.")


class NotAllowed(DomainError):
    """The person may see the thing, but not do this with it."""

    code = "not_allowed"
    status = 403
    default_message = _("You do not have the right to do this.")


class InvalidInput(DomainError):
    """A value breaks a rule that only the service knows."""

    code = "invalid"
    status = 400


class TooMany(DomainError):
    """A limit is used up; `retry_after` says in how many seconds to try again."""

    code = "too_many"
    status = 429

    def __init__(self, message: object = "", *, retry_after: int, code: str = "") -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after
