"""Each import contract of pyproject.toml fails when somebody breaks it."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]

# Contract: (who, imports what it must not).
BREAKS = {
    "apps": ("accounts", "projects"),
    "inside": ("payments.models", "payments.services"),
    "stripe": ("projects.services", "stripe"),
    "sandbox": ("payments.services", "payments.sandbox"),
    "money": ("projects.services", "payments.ledger"),
    "rest": ("payments.services", "rest_framework"),
    "insight": ("matching.engine", "matching.insight.outlook"),
    "devstack": ("marketplace.core", "marketplace.devstack"),
    "devstack-apps": ("marketplace.devstack", "marketplace.core"),
}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the code, to be broken."""
    copy = tmp_path_factory.mktemp("checkout")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for package in CONFIGURATION["root_packages"]:
        only_code = shutil.ignore_patterns("__pycache__", "*.pyc", "*.html", "*.json", "*.md")
        shutil.copytree(ROOT / package, copy / package, ignore=only_code)
    return copy


def test_every_contract_is_broken_here_once():
    assert {contract["id"] for contract in CONFIGURATION["contracts"]} == set(BREAKS)


@pytest.mark.parametrize("contract", BREAKS)
def test_a_broken_contract_is_reported(contract, checkout):
    importer, imported = BREAKS[contract]
    file = checkout / importer.replace(".", "/") / "__init__.py"
    before = file.read_text()
    file.write_text(f"{before}\nimport {imported}\n")
    try:
        result = subprocess.run(
            [Path(sys.executable).with_name("lint-imports"), "--contract", contract],
            cwd=checkout,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        file.write_text(before)

    assert result.returncode == 1
    assert "Contracts: 0 kept, 1 broken." in result.stdout
    assert f"{importer} -> {imported}" in result.stdout
