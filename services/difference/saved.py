"""Catalogs as documents: this one, one that was saved, one of a git reference.

The catalog of a reference is asked in a process of its own, from the files of that reference: its ladders and models
are not ours.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from catalog.definition import BadgeDefinition

FOLDERS: Final = ("catalog", "contracts")
SECONDS: Final = 60
NOT_SAVED: Final = "not a saved catalog; `gatefold catalog save` makes one"
ASK: Final = (
    "import json, sys; from catalog.index import every_badge; "
    "json.dump({'badges': [one.model_dump(mode='json') for one in every_badge()]}, sys.stdout)"
)


class NoCatalog(Exception):
    """There is no catalog to be read where one was named."""


def document(badges: Iterable[BadgeDefinition]) -> str:
    """The badges as a document that `read` reads."""
    return json.dumps({"badges": [one.model_dump(mode="json") for one in badges]}, indent=1, ensure_ascii=False) + "\n"


def read(named: str) -> tuple[BadgeDefinition, ...]:
    """The badges of a saved document, or of a git reference of the repository that this is called in.

    Raises:  NoCatalog saying why.
    """
    path = Path(named)
    try:
        text = path.read_text("utf-8") if path.is_file() else _of_reference(named)
    except OSError as error:
        raise NoCatalog(f"{named}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise NoCatalog(f"{named}: {NOT_SAVED}") from None
    except subprocess.TimeoutExpired:
        raise NoCatalog(f"{named}: nothing came of it within {SECONDS} s") from None
    return parse(text, named)


def parse(text: str, named: str) -> tuple[BadgeDefinition, ...]:
    """The badges of a document.

    Raises:  NoCatalog.
    """
    try:
        # Not strict about tuples, which JSON does not have.
        return tuple(BadgeDefinition.model_validate_json(json.dumps(one)) for one in json.loads(text)["badges"])
    except ValidationError as error:
        fault = error.errors()[0]
        raise NoCatalog(f"{named}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
    except (ValueError, KeyError, TypeError):
        raise NoCatalog(f"{named}: {NOT_SAVED}") from None


def _of_reference(reference: str) -> str:
    if reference.startswith("-"):
        raise NoCatalog(f"{reference}: neither a file nor a git reference")
    top = _git("rev-parse", "--show-toplevel").decode().strip()
    archive = _git("-C", top, "archive", "--format=tar", reference, *FOLDERS)
    with tempfile.TemporaryDirectory(prefix="gatefold-catalog-") as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        done = subprocess.run(
            [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {folder!r}); {ASK}"],
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    if done.returncode:
        raise NoCatalog(f"{reference}: its catalog does not load: {_last(done.stderr)}")
    return done.stdout.decode()


def _git(*arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, timeout=SECONDS, check=False)
    except FileNotFoundError:
        raise NoCatalog("git is not installed; compare with a file of `gatefold catalog save`") from None
    if done.returncode:
        raise NoCatalog(f"neither a file nor a git reference with a catalog: {_last(done.stderr)}")
    return done.stdout


def _last(output: bytes) -> str:
    return (output.decode("utf-8", "replace").strip().splitlines() or ["no reason given"])[-1]
