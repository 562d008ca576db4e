"""Writes the JSON Schemas and the event dictionary: `python -m contracts.generate [--check]`.

With `--check` nothing is written; exit code 1 and the names of the files tell what has drifted.
A change that would break somebody is refused: give the event a new topic beside the old one.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from contracts.compatibility import breaks
from contracts.dictionary import event_dictionary
from contracts.topics import TOPICS, Topic

ROOT: Final = Path(__file__).resolve().parent.parent
SCHEMAS: Final = ROOT / "contracts" / "schemas"
EXAMPLES: Final = ROOT / "contracts" / "examples"
DICTIONARY: Final = ROOT / "docs" / "events.md"
REPAIR: Final = "python -m contracts.generate"


class _Untitled(GenerateJsonSchema):
    """Titles made of field names say nothing new."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema(topic: Topic) -> dict[str, Any]:
    """The JSON Schema 2020-12 of the topic's data."""
    made = topic.model.model_json_schema(schema_generator=_Untitled)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:gatefold:event:{topic.name}",
        **made,
    }


def load(folder: Path) -> dict[str, Any]:
    """The JSON files of a folder, by the topic they are named after."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}


def wanted() -> dict[Path, str]:
    """What the generated files should hold."""
    schemas = {name: schema(topic) for name, topic in TOPICS.items()}
    files = {
        SCHEMAS / f"{name}.json": json.dumps(made, indent=2, ensure_ascii=False) + "\n"
        for name, made in schemas.items()
    }
    return files | {DICTIONARY: event_dictionary(schemas, load(EXAMPLES))}


def drifted(files: Mapping[Path, str]) -> list[Path]:
    """The files that do not hold what they should, and schemas that belong to no topic."""
    changed = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
    return changed + [path for path in sorted(SCHEMAS.glob("*.json")) if path not in files]


def broken() -> list[str]:
    """Every break between the committed schemas and the models, a removed topic included."""
    found = []
    for name, committed in load(SCHEMAS).items():
        if name not in TOPICS:
            found.append(f"{name}: topic removed")
        else:
            found += [f"{name}: {fault}" for fault in breaks(committed, schema(TOPICS[name]), TOPICS[name].direction)]
    return found


def main(arguments: list[str]) -> int:
    """Generates or checks; 0 done, 1 drifted or broken, 2 wrong usage."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write(f"usage: {REPAIR} [--check]\n")
        return 2
    if faults := broken():
        sys.stderr.write("a committed schema may only grow:\n" + "".join(f"  {fault}\n" for fault in faults))
        return 1
    files = wanted()
    changed = drifted(files)
    if arguments:
        sys.stderr.write("".join(f"{path.relative_to(ROOT)} has drifted; repair: {REPAIR}\n" for path in changed))
        return 1 if changed else 0
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], "utf-8")
        sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
