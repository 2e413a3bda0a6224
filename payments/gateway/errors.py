"""What can go wrong between us and Stripe, by what it means for the command."""


class GatewayError(Exception):
    """Stripe did not do what it was asked."""


class Unavailable(GatewayError):
    """No final answer: the network, Stripe or a lock. What was asked may have happened.

    `answered` when Stripe itself failed (a 500): under the same key it will only say that again.
    """

    def __init__(self, message: str, *, answered: bool = False) -> None:
        super().__init__(message)
        self.answered = answered


class Refused(GatewayError):
    """Stripe's final no; `code` is Stripe's word for the reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class KeyReused(GatewayError):
    """This idempotency key was used with other parameters before: a bug of ours."""


class BadSignature(GatewayError):
    """This webhook is not from Stripe, or not from now."""


class WrongMode(BadSignature):
    """Stripe did send it, but about live money to a test system or the other way round."""
