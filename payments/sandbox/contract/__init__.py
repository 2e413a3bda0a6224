"""What the `stripe` package says about Stripe's API, turned into strict checks.

Stripe generates the types in its Python package from its own description of the API. They are
read here at run time, so the checks are always those of the pinned version. Two users: every
request of our tests (`ContractHTTPClient`), and the sandbox (requests in, answers out).

Both APIs are covered: v1 with form-encoded bodies, and v2 with JSON.
"""

from payments.sandbox.contract.client import ContractBroken, ContractHTTPClient
from payments.sandbox.contract.operations import Operation, Refused, find, operations
from payments.sandbox.contract.parameters import Problem
from payments.sandbox.contract.resources import blank, misfits

__all__ = [
    "ContractBroken",
    "ContractHTTPClient",
    "Operation",
    "Problem",
    "Refused",
    "blank",
    "find",
    "misfits",
    "operations",
]
