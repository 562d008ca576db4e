"""What the documents say exists: settings, metrics, topics, commands, code, files. And whatever exists is in them."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from prometheus_client.metrics import MetricWrapperBase
from pydantic import SecretStr

from contracts.topics import INPUT_TOPICS, OUTPUT_TOPICS
from services import metrics
from services.api import meters
from services.cli.main import app
from services.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
OPERATIONS = ROOT / "docs" / "operations.md"
EVENTS = ROOT / "docs" / "events.md"
DOCUMENTS = sorted(
    path for path in ROOT.rglob("*.md") if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
# Read outside of Settings: by the local stack and by the tests.
OTHER_VARIABLES = {"GATEFOLD_CACHE", "GATEFOLD_JARS_URL", "GATEFOLD_TEST_STACK"}


@cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def blocks(path: Path, language: str) -> list[str]:
    """The code blocks of one language, without the indent of the list they stand in."""
    return [
        "\n".join(line.removeprefix(indent) for line in body.splitlines())
        for indent, kind, body in FENCE.findall(text(path))
        if kind == language
    ]


# --- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_a_row_with_its_default(name: str) -> None:
    default = Settings.model_fields[name].default
    match default:
        case None:
            shown = "(none)"
        case "":
            shown = "(empty)"
        case SecretStr():
            shown = f"`{default.get_secret_value()}`"
        case str() | int() | float():
            shown = f"`{default}`"
        case _:
            shown = "`gatefold` in the system's temporary directory"
    row = re.search(rf"^\| `GATEFOLD_{name.upper()}` \| (.*?) \| (.+) \|$", text(OPERATIONS), re.MULTILINE)
    assert row is not None, f"GATEFOLD_{name.upper()} is not in the table of {OPERATIONS.name}"
    assert row[1] == shown


def test_every_variable_that_is_named_exists() -> None:
    known = {f"GATEFOLD_{name.upper()}" for name in Settings.model_fields} | OTHER_VARIABLES
    for path in DOCUMENTS:
        named = set(re.findall(r"GATEFOLD_[A-Z0-9_]+", text(path)))
        # "GATEFOLD_*" and names cut at a wildcard end in an underscore.
        assert {name for name in named if not name.endswith("_")} <= known, path.name


def test_every_variable_of_the_code_is_documented() -> None:
    for path in (ROOT / "services").rglob("*.py"):
        for name in re.findall(r"GATEFOLD_[A-Z0-9]+(?:_[A-Z0-9]+)*(?![A-Z0-9_*])", text(path)):
            assert f"`{name}`" in text(OPERATIONS), f"{name} of {path.relative_to(ROOT)}"


# --- metrics ---------------------------------------------------------------------------------------------------------


def every_metric() -> dict[str, MetricWrapperBase]:
    """All metrics by the name that Prometheus sees."""
    return {
        metric._name + ("_total" if metric._type == "counter" else ""): metric
        for module in (metrics, meters)
        for metric in vars(module).values()
        if isinstance(metric, MetricWrapperBase)
    }


@pytest.mark.parametrize("name", every_metric())
def test_every_metric_has_a_row_with_type_and_labels(name: str) -> None:
    metric = every_metric()[name]
    labels = ", ".join(f"`{label}`" for label in metric._labelnames) or "–"
    assert f"\n| `{name}` | {metric._type} | {labels} | " in text(OPERATIONS)


def test_every_metric_that_is_named_exists() -> None:
    roles = {
        f"gatefold_{name}" for name in ("worker", "relay", "scheduler", "graph", "api", "admin", "notifier")
    }  # of PostgreSQL
    for path in (README, OPERATIONS):
        named = set(re.findall(r"`(gatefold_[a-z_]+)[`{]", text(path)))
        assert named - roles <= every_metric().keys(), path.name


# --- topics ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", [*INPUT_TOPICS, *OUTPUT_TOPICS])
def test_every_topic_is_described_and_in_the_operators_list(topic: str) -> None:
    assert f"### {topic}\n" in text(EVENTS)
    assert f"`{topic}`" in text(OPERATIONS)


# --- commands --------------------------------------------------------------------------------------------------------


def every_command() -> dict[tuple[str, ...], Any]:
    """All commands by their path below `gatefold`."""

    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        below = getattr(command, "commands", None)
        if below is None or command.invoke_without_command:
            yield path, command
        if below is not None:
            for name, one in below.items():
                yield from walk(one, (*path, name))

    return dict(walk(typer.main.get_command(app), ()))


def invocations(script: str) -> Iterator[list[str]]:
    """The words of each `gatefold` command in a shell script, those in pipes and substitutions included."""
    reader = shlex.shlex(script, posix=True, punctuation_chars="|&;()\n")
    reader.whitespace, reader.whitespace_split, reader.commenters = " \t", True, ""
    words: list[str] = []
    for word in [*reader, "\n"]:
        if set(word) <= set("|&;()\n"):
            while words and re.match("[A-Z_]+=", words[0]):
                words.pop(0)
            if words and words[0] == "gatefold":
                yield words[1:]
            words = []
        else:
            words.append(word)


SCRIPTS = [(path, script) for path in DOCUMENTS for script in blocks(path, "sh")]
COMMANDS = [(path.name, words) for path, script in SCRIPTS for words in invocations(script)]


@pytest.mark.parametrize(
    "words", [words for _, words in COMMANDS], ids=[f"{name}: {' '.join(w)}" for name, w in COMMANDS]
)
def test_every_command_that_is_shown_parses(words: list[str]) -> None:
    path = next(path for path in every_command() if tuple(words[: len(path)]) == path)
    command = every_command()[path]
    command.make_context(" ".join(path), words[len(path) :])


def test_commands_were_found() -> None:
    assert len(COMMANDS) > 30
    assert ["wait", "--timeout", "30"] in [words for _, words in COMMANDS]
    assert list(invocations("A=1 gatefold up --workers 2 | jq .\nT=$(gatefold token 'a b')\n")) == [
        ["up", "--workers", "2"],
        ["token", "a b"],
    ]


@pytest.mark.parametrize("path", every_command(), ids=" ".join)
def test_every_command_is_in_the_readme(path: tuple[str, ...]) -> None:
    """In the table: `gatefold a`, `b`, or `gatefold group a`, `b`."""
    rows = [re.findall("`([^`]+)`", row) for row in re.findall(r"^\| (`gatefold .*?) \|", text(README), re.MULTILINE)]
    named = set()
    for first, *others in rows:
        words = first.split()[1:]
        named.add(tuple(words))
        for other in others:
            named |= {tuple(other.split()), (*words[:-1], other)}
    assert path in named


def test_every_make_target_that_is_shown_exists() -> None:
    targets = set(re.findall("^([a-z]+):", text(ROOT / "Makefile"), re.MULTILINE))
    for path in (README, OPERATIONS):
        shown = re.findall(r"`make ([a-z]+)", text(path))
        shown += [
            line.split()[1] for script in blocks(path, "sh") for line in script.splitlines() if line[:5] == "make "
        ]
        assert set(shown) <= targets, path.name


# --- code and files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", blocks(README, "python"), ids=lambda block: str(block.splitlines()[0]))
def test_code_that_is_shown_is_the_code(block: str) -> None:
    head, *lines = block.splitlines()
    assert "\n".join(lines) in text(ROOT / head.removeprefix("# "))


@pytest.mark.parametrize("name", sorted(set(re.findall("`((?:[a-z_]+/)+[a-z_.]*)`", text(README)))))
def test_every_file_and_folder_of_the_readme_exists(name: str) -> None:
    assert (ROOT / name).exists() or name in {"state/", "build/screens"}  # what commands make


def anchors(path: Path) -> set[str]:
    """The fragments of a document's headings."""
    prose = FENCE.sub("", text(path))
    headings = re.findall("^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_resolves(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text(path))):
        if re.match("[a-z]+:", target):
            continue
        name, _, fragment = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), target
        assert not fragment or fragment in anchors(file), target
