"""Every operation of the API: verb, path and the type of its parameters.

Each service method of the `stripe` package calls `self._request("post", "/v1/…")` and names its
parameter type in its signature. Both are read from the source, because neither exists as data.
"""

import ast
import functools
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import stripe

from payments.sandbox.contract.parameters import Problem, decode, decode_json, read
from payments.sandbox.contract.sources import tree_of

PACKAGE = Path(stripe.__file__).parent


class Refused(Exception):
    """The parameters break the contract; `problems` says how."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


@dataclass(frozen=True)
class Operation:
    """One verb on one path of Stripe's API, such as POST /v1/transfers."""

    method: str
    template: str
    module: str
    params_class: str | None

    @functools.cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the paths of the template; each placeholder is a group."""
        fixed = re.split(r"\{\w+\}", self.template)
        return re.compile("([^/]+)".join(map(re.escape, fixed)))

    def read(self, encoded: str) -> dict[str, Any]:
        """The parameters of a body or query string, typed; raises Refused.

        Bodies of the v2 API are JSON, everything else is form-encoded.
        """
        is_json = self.method != "GET" and self.template.startswith("/v2/")
        given = decode_json(encoded) if is_json else decode(encoded)
        if self.params_class is None:
            unknown = [
                Problem("parameter_unknown", name, f"Received unknown parameter: {name}")
                for name in given
            ]
            if unknown:
                raise Refused(unknown)
            return {}
        kind = getattr(importlib.import_module(self.module), self.params_class)
        params, problems = read(kind, given)
        if problems:
            raise Refused(problems)
        return dict(params)


def find(method: str, path: str) -> tuple[Operation, tuple[str, ...]] | None:
    """The operation behind a path, with the ids in it; None when Stripe has none."""
    for operation in operations():
        if operation.method == method and (match := operation.pattern.fullmatch(path)):
            return operation, match.groups()
    return None


@functools.cache
def operations() -> tuple[Operation, ...]:
    """All of them; fixed paths before those with placeholders."""
    found = []
    for source in sorted(PACKAGE.rglob("*_service.py")):
        folder = source.parent.relative_to(PACKAGE)
        module = ".".join(("stripe.params", *folder.parts))
        for node in tree_of(source).body:
            if isinstance(node, ast.ClassDef):
                found += list(_of_service(node, module))
    return tuple(sorted(found, key=lambda operation: operation.template.count("{")))


def _of_service(service: ast.ClassDef, module: str) -> Iterator[Operation]:
    for method in service.body:
        if isinstance(method, ast.FunctionDef):
            for node in ast.walk(method):
                if isinstance(node, ast.Call) and (request := _verb_and_path(node)):
                    verb, path = request
                    yield Operation(verb, path, module, _params_class(method))


def _verb_and_path(call: ast.Call) -> tuple[str, str] | None:
    """`self._request("get", "/v1/x/{x}".format(x=…))` as ("GET", "/v1/x/{x}")."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr == "_request"):
        return None
    verb, path = call.args[:2]
    if isinstance(path, ast.Call) and isinstance(path.func, ast.Attribute):
        path = path.func.value
    if not (isinstance(verb, ast.Constant) and isinstance(path, ast.Constant)):
        return None
    if not str(path.value).startswith(("/v1/", "/v2/")):
        return None
    return str(verb.value).upper(), str(path.value)


def _params_class(method: ast.FunctionDef) -> str | None:
    for argument in (*method.args.args, *method.args.kwonlyargs):
        if argument.arg == "params" and argument.annotation:
            match = re.search(r"\w+Params\b", ast.unparse(argument.annotation))
            return match[0] if match else None
    return None
