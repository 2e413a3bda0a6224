"""How strict the check of our requests to Stripe is: what it accepts, and what it refuses.

    .venv/bin/python bench/stripe_contract.py [--examples tests/test_generated_examples.py]

Without examples it builds a request with every parameter for each operation of the `stripe`
package, from its types. `--examples` reads those Stripe wrote: the file is in the package's source
distribution on PyPI, not in what is installed. Each request must be accepted; then each is spoiled
in every way that fits it, and each spoiled one must be refused. Prints a line per count and ends
with 1 if a spoiled request was accepted.
"""

import argparse
import ast
import functools
import importlib
import json
import os
import re
import sys
import types
import typing
import urllib.parse
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import typing_extensions

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings.test")

from payments.sandbox.contract import Operation, Refused, find, operations  # noqa: E402
from payments.sandbox.contract.parameters import (  # noqa: E402
    LITERALS,
    OPTIONAL,
    WRAPPERS,
    closed,
    fields,
)

# Parameters may contain themselves.
DEEPEST = 5
SPOILT = "spoilt_by_us"
SAMPLES: dict[Any, str] = {str: "text", int: "12", bool: "true", float: "1.5", Decimal: "1.5"}
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Example:
    """A request: verb, path, and its parameters as they are sent."""

    method: str
    path: str
    pairs: Pairs = ()

    @property
    def is_accepted(self) -> bool:
        found = find(self.method, self.path)
        if found is None:
            return False
        try:
            found[0].read(urllib.parse.urlencode(self.pairs))
        except Refused:
            return False
        return True


# --- Types ------------------------------------------------------------------------------------


def _bare(kind: Any) -> list[Any]:
    """What may be sent for a type: without wrappers, null, and "any other string"."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in WRAPPERS:
        return _bare(inner[0])
    if origin in (typing.Union, types.UnionType):
        return [each for one in closed(inner) for each in _bare(one)]
    return [kind]


def _params(operation: Operation) -> Any:
    if operation.params_class is None:
        return None
    return getattr(importlib.import_module(operation.module), operation.params_class)


@functools.cache
def kinds_at(kind: Any, path: tuple[str, ...]) -> tuple[Any, ...]:
    """The types a parameter may have, by the names that lead to it."""
    kinds = _bare(kind)
    if not path:
        return tuple(kinds)
    found: list[Any] = []
    for one in kinds:
        if typing_extensions.is_typeddict(one) and path[0] in fields(one):
            found += kinds_at(fields(one)[path[0]], path[1:])
        elif typing.get_origin(one) is list:
            found += kinds_at(typing.get_args(one)[0], path[1:])
        elif typing.get_origin(one) is dict:
            found += kinds_at(typing.get_args(one)[1], path[1:])
    return tuple(found)


# --- Requests ---------------------------------------------------------------------------------


def every_operation() -> Iterator[Example]:
    """A request with all parameters for each operation of v1, whose requests are forms."""
    for operation in operations():
        if not operation.template.startswith("/v1/"):
            continue
        path = re.sub(r"\{\w+\}", "id_1", operation.template)
        kind = _params(operation)
        yield Example(operation.method, path, tuple(_sample(kind, "", 0)) if kind else ())


def _sample(kind: Any, name: str, depth: int) -> Iterator[tuple[str, str]]:
    kinds = _bare(kind)
    if not kinds:
        return
    one = kinds[0]
    origin, inner = typing.get_origin(one), typing.get_args(one)
    if typing_extensions.is_typeddict(one):
        yield from _sample_fields(one, name, depth)
    elif origin is list:
        yield from _sample(inner[0], f"{name}[0]", depth + 1)
    elif origin is dict:
        yield from _sample(inner[1], f"{name}[key]", depth + 1)
    elif origin in LITERALS:
        yield name, str(inner[0])
    elif one in SAMPLES:
        yield name, SAMPLES[one]


def _sample_fields(kind: Any, name: str, depth: int) -> Iterator[tuple[str, str]]:
    for key, hint in fields(kind).items():
        if depth < DEEPEST or _is_required(hint):
            yield from _sample(hint, f"{name}[{key}]" if name else key, depth + 1)


def stripes_examples(file: Path) -> Iterator[Example]:
    """What Stripe's own tests of the package say is sent, the v1 part."""
    for node in ast.walk(ast.parse(file.read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr != "assert_requested" or not node.args:
            continue
        said = {
            word.arg: word.value.value
            for word in node.keywords
            if isinstance(word.value, ast.Constant)
        }
        path = str(said.get("path", ""))
        verb = ast.literal_eval(node.args[0]).upper()
        sent = said.get("query_string" if verb == "GET" else "post_data") or ""
        if path.startswith("/v1/"):
            pairs = urllib.parse.parse_qsl(str(sent), keep_blank_values=True)
            yield Example(verb, path, tuple(pairs))


# --- Spoiling ---------------------------------------------------------------------------------


def spoilt(example: Example) -> Iterator[tuple[str, Example]]:
    """The request, spoiled once in each way that fits it, and what was done to it."""
    yield "wrong path", replace(example, path=f"{example.path}/x/y/{SPOILT}")
    yield "wrong verb", replace(example, method="PATCH")
    yield "unknown parameter", replace(example, pairs=(*example.pairs, (SPOILT, "1")))
    found = find(example.method, example.path)
    kind = _params(found[0]) if found else None
    if kind is None:
        return
    for required in (name for name, hint in fields(kind).items() if _is_required(hint)):
        left = tuple(pair for pair in example.pairs if pair[0].split("[")[0] != required)
        yield "missing parameter", replace(example, pairs=left)
    nests: set[str] = set()
    for number, (name, _value) in enumerate(example.pairs):
        path = (name.split("[", 1)[0], *re.findall(r"\[([^\]]*)\]", name))
        leaf = kinds_at(kind, path)
        if leaf and all(one is int for one in leaf):
            yield "fractional number", _with(example, number, "12.5")
        if leaf and all(typing.get_origin(one) in LITERALS for one in leaf):
            yield "word outside the list", _with(example, number, SPOILT)
        above = kinds_at(kind, path[:-1])
        nest = name.rpartition("[")[0]
        if nest and nest not in nests and all(map(typing_extensions.is_typeddict, above)):
            nests.add(nest)
            pairs = (*example.pairs, (f"{nest}[{SPOILT}]", "1"))
            yield "unknown nested parameter", replace(example, pairs=pairs)


def _is_required(hint: Any) -> bool:
    return typing.get_origin(hint) not in OPTIONAL


def _with(example: Example, number: int, value: str) -> Example:
    pairs = list(example.pairs)
    pairs[number] = (pairs[number][0], value)
    return replace(example, pairs=tuple(pairs))


# --- Counting ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counts:
    """What came of it; `by_kind` has tried and refused."""

    examples: int
    not_accepted: list[Example]
    by_kind: dict[str, tuple[int, int]]
    slipped_through: list[tuple[str, Example]]


def count(examples: Iterable[Example]) -> Counts:
    """Ask the check about every request and about every spoiled one of those it accepts."""
    tried: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    total, not_accepted, slipped = 0, [], []
    for example in examples:
        total += 1
        if not example.is_accepted:
            not_accepted.append(example)
            continue
        for kind, bad in spoilt(example):
            tried[kind] += 1
            if bad.is_accepted:
                slipped.append((kind, bad))
            else:
                refused[kind] += 1
    by_kind = {kind: (tried[kind], refused[kind]) for kind in sorted(tried)}
    return Counts(total, not_accepted, by_kind, slipped)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=Path, help="Stripe's test_generated_examples.py")
    options = parser.parse_args()
    source = stripes_examples(options.examples) if options.examples else every_operation()
    # Stripe's tests say most things several times.
    counts = count(dict.fromkeys(source))
    accepted = counts.examples - len(counts.not_accepted)
    _say("stripe_contract_accepted", accepted, counts.examples)
    for kind, (tried, refused) in counts.by_kind.items():
        _say(f"stripe_contract_refused_{kind.replace(' ', '_')}", refused, tried)
    for example in counts.not_accepted:
        print(f"not accepted: {example.method} {example.path}", file=sys.stderr)
    for kind, example in counts.slipped_through:
        print(f"slipped through: {kind}: {example.method} {example.path}", file=sys.stderr)
    return 1 if counts.slipped_through else 0


def _say(figure: str, value: int, n: int) -> None:
    line = {"figure": figure, "value": value, "unit": "requests"}
    print(json.dumps(line | {"yardstick": n, "ratio": value / n if n else None, "n": n}))


if __name__ == "__main__":
    sys.exit(main())
