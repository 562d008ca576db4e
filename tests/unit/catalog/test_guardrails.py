"""What `make check` refuses: rules that ask a clock or read a file."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RULES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]


def faults(package: str, line: str) -> str:
    """What ruff says of a module of this package with one line."""
    module = f"import datetime\n\nfound = {line}\nassert datetime\n"
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--output-format=concise",
        f"--stdin-filename={package}/new.py",
        "-",
    ]
    return subprocess.run(command, input=module, capture_output=True, text=True, cwd=ROOT, check=False).stdout


@pytest.mark.parametrize("package", ["contracts", "catalog", "evaluators"])
@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("datetime.datetime.now(datetime.UTC)", "TID251"),
        ("datetime.date.today()", "TID251"),
        ('open("numbers").read()', "PTH123"),
    ],
)
def test_a_rule_may_not_look_around(package: str, line: str, rule: str) -> None:
    assert rule in faults(package, line)
    assert rule not in faults("services", line), "who calls the rules may"


def test_a_rule_may_import_nothing_that_looks_around() -> None:
    forbidden = {
        name for rule in RULES if "evaluators" in rule.get("source_modules", ()) for name in rule["forbidden_modules"]
    }
    wanted = {"time", "os", "pathlib", "socket", "subprocess", "threading", "random", "asyncio", "asyncpg", "urllib"}
    assert wanted <= forbidden
