"""The event dictionary as Markdown, made of the topics, their schemas and their examples."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from contracts.ids import MAX_ID
from contracts.topics import INPUT_TOPICS, OUTPUT_TOPICS, TOPICS, Topic

Schema = Mapping[str, Any]

_HEAD = """# Events

Generated from `contracts/` by `python -m contracts.generate`; edit the models, not this file.

Every event is a CloudEvent 1.0 on the Kafka topic of its type, in binary mode (`ce_*` headers, the data as value) or
in structured mode (`content-type: application/cloudevents+json`). Attributes: `specversion` "1.0", `id`, `source`,
`type` (= topic), `subject` (= the record's key), `time` (RFC 3339 with an offset). We publish in binary mode. A
record that cannot be accepted becomes a dead letter with a stage (`oversize`, `decode`, `envelope`, `schema`) and a
reason, and `event.rejected` tells of it. "?" marks a field that may be missing; in events we take it may also be
null, which says the same. The releases in the examples are facts of the Discogs data dump of 2020-08-06 (CC0); users,
copies and ids of events are made up.
"""

_DECISIONS = """## Decisions

Where the contract is silent, this is how it is read here.

**Envelope**
- The stages come in the order oversize, decode, envelope, schema; a record with several faults is known by the first.
  A null value is a fault of stage schema before anything else is looked at.
- Names of headers count in any case. An attribute or a content type given twice is a fault. In structured mode `ce_*`
  headers are ignored. Extension attributes, `datacontenttype`, `dataschema` and `data_base64` are ignored; the data
  is always JSON.
- An attribute that is null in structured mode is missing. `id` and `source`: 1 to 4,000 characters without NUL.
- `time`: a blank or a lower-case `t` or `z` is accepted as RFC 3339 permits; a time without an offset, `+0100`, a
  leap second (`:60`), and a moment outside the years 1 to 9999 in UTC are faults. Fractions beyond microseconds are
  cut.
- `time` more than 24 h after the record's timestamp is a fault; exactly 24 h is not.
- The subject of `release.described` is the release id in decimal, without sign or leading zeros, and equals
  `data.id`.
- The key, subject and id of `event.rejected` are the position of the record, `<topic>:<partition>:<offset>`: a key
  that was at fault cannot serve as a user id.

**JSON**
- Nesting is counted over the whole value, in structured mode with the envelope: 32 levels are accepted, 33 are not.
- Text is counted in characters (code points). Lone surrogates and NUL are faults in fields that are known and in
  attributes; in unknown fields they are ignored. Bytes that are no UTF-8 are a fault wherever they stand.
- Of a field given twice the last counts, but each must be of the right type; of `items[].release` the last alone is
  looked at.
- `5.0` and `1e2` are no integers. A number beyond the range of floating point (`1e400`) is a fault in a field that is
  known.
- A JSON Schema cannot say all of this; what is written here and what the decoder does is the rule.

**Data**
- A user id is 1 to 64 of `A-Z a-z 0-9 _ . : @ -`, nothing before or after it, no line end either.
- `user.deleted` and `cron.sweep` need no data: `{}`, in structured mode also none; null is a fault. In binary mode an
  empty value is no JSON.
- `joined_at` as a time needs an offset. `added_at` decides nothing and is read leniently: a date, alone or followed
  by `T` or a blank and any ISO time of day, with or without an offset; but a day the calendar lacks is a fault.
- `year` may be any integer: an impossible year is unknown, never an error. `have`, `folder_id` and `items_total` have
  no upper bound.
- `artists[].id` and `labels[].id` are null where Discogs links none; 0 is a fault there. `master_id` 0 says the
  release has none.
- Names, titles, conditions and other text may be empty; ids may not.
- The lists of a release have no bound but that of the value; `items` and `release_ids` hold 1 to 500, repeats
  included.
- `sync_id` is text of 1 to 128 or a positive integer.
- `data` of an accepted event is compared with that of an earlier one of the same identity byte by byte.

**Published**
- Keys of the data are in alphabetical order, without blanks: the same event is always the same bytes. `campaign_id`
  is left out where there is none.
- `caused_by` is null for an award by hand, `trigger` is `manual`, and the evidence is the `reason` that was given.
  Where a revoked award is reinstated by hand, date and evidence stay as they were, `source`, `trigger` and `caused_by`
  are those of an award by hand, and the event's `time` is when that was done. Nobody is told of what is hidden or
  sorted by hand.
- Awards of a badge that was on trial are told of when it is shown, with the dates on which they were earned:
  `awarded_at` and the event's `time` may lie long ago.
- The id of `badge.revoked` is `<award_id>:<revision>:revoked`.
- `value_base64` and `value_sha256` of `event.rejected` are null for a null value; `key` is cut at 256 characters.

**State and awards**
- A user becomes known by an event that leaves something behind. `collection.synced`, `cron.anniversary` and
  `cron.sweep` leave nothing: of a user who is not known they change nothing.
- Any deletion takes the user's dead letters along, also one that is older than the last deletion. What a deletion
  leaves is evaluated like a sweep, at the time of the newest event left; the trigger is `user.deleted`.
- The works of an artist are the masters, and the releases without one, that name the artist among their main artists;
  owned and total are counted alike. A label or artist without an id, Various, Unknown Artist and No Artist have no
  share. Totals are those of the last dump; who owns more than it lists has 100 %. Shares are rounded down: to whole
  percent in `value`, to one decimal in `percentage`.
- A total that grew is told to nobody: it earns nothing, and progress reads it as it is.
- The first pressing of a master is any release, not flagged Reissue, Repress, Remastered or Unofficial, than which no
  version is known to be earlier, as precisely as both are dated: beside 1999-03-17 a version of 1999 or of 1999-03 is
  one too, one of 1999-05 is not. Only masters of which a dump has told have one; flagged versions have dates as well.
- A `cron.sweep` with a `campaign_id` recounts the user and evaluates the badges of that campaign alone; a campaign that
  was cancelled, is rolled back or is not known evaluates none. What it gives has `source` `backfill`, `campaign_id`,
  `notify` as the campaign says, and the date on which the rule was first met as far as the stored dates tell.
- What the rollback of a campaign revoked is not given again but by hand.
- A `cron.sweep` older than a deletion still recounts what is left; what it earns is dated with the newest event left.
- A deletion that leaves nothing of a user takes all awards by hand along, also those given after its time: nobody is
  there to hold them.
- A removal takes in no news of the catalogue about a release of which another copy stays.
- `earned_with` names the last item at which the line was crossed. The line of an age is crossed by an item only if the
  oldest year moved; with the calendar alone there is no `earned_with`.
- The decade of `largest_decade` is the earliest of equal ones, the oldest record the one with the smallest release id.
- A master goes by the title of the release of it that was counted last, in a recount by that of the smallest id.
- `year` 0 says that the year is not known and an impossible year says nothing better: both are statements, the newest
  of a field wins. After 0 the date in `released` serves, after an impossible year it does not.
- The year of `released` is its first run of four digits, wherever it stands ("07 Apr 2017").
- Sizes win over the name only where the name is "Vinyl".

**Graph badges**
- The artists of a collection are the main artists that its records count with, and whom the catalogue credits on them.
  An artist who worked with none of the others is a cluster of one. `hops` is 0 where nobody worked with anybody.
- `collection.synced` is measured after all copies that were published before it was seen, once in 24 hours at most;
  of several syncs the newest is the cause, and its `time` the date of the award. Before there is a graph, users wait.
- `path` is a longest shortest path: from the smallest artist id that one begins at, the one whose ids sort first.
  `artists` are the ten of the cluster with the most `connections` inside the collection, then by id. `as_of` is the
  date of the catalogue. `exact` false: the collection has so many artists that there may be a longer path.
- A measurement tells of copies, so any deletion removes it; where the sync was newer, what is left is measured again.
"""


def event_dictionary(schemas: Mapping[str, Schema], examples: Mapping[str, Any]) -> str:
    """The whole document; same input, same text."""
    parts = [_HEAD, "## Contents\n", _contents()]
    for title, names in (("Events we take", INPUT_TOPICS), ("Events we publish", OUTPUT_TOPICS)):
        parts.append(f"## {title}\n")
        parts += [_section(TOPICS[name], schemas[name], examples.get(name)) for name in names]
    return "\n".join([*parts, _DECISIONS])


def _contents() -> str:
    rows = [
        f"| [`{topic.name}`](#{topic.name.replace('.', '')}) | {topic.key} | {topic.description} |"
        for topic in TOPICS.values()
    ]
    return "\n".join(["| topic | key | effect |", "|---|---|---|", *rows]) + "\n"


def _section(topic: Topic, schema: Schema, example: Any) -> str:
    lines = [f"### {topic.name}", "", str(schema.get("description", "")).strip(), ""]
    lines += [f"Effect: {topic.description}. Key: {topic.key}. Kept for {topic.retention_days} days.", ""]
    rows = list(_rows(schema, schema, ""))
    if rows:
        lines += ["| field | type | meaning |", "|---|---|---|"]
        lines += [f"| `{path}` | {kind} | {meaning} |" for path, kind, meaning in rows]
    else:
        lines.append("No data is required and none is read.")
    lines += ["", "```json", json.dumps(example, ensure_ascii=False, indent=2), "```", ""]
    return "\n".join(lines)


def _rows(schema: Schema, root: Schema, prefix: str) -> Iterator[tuple[str, str, str]]:
    """Path, type and meaning of each field, nested ones after the field that holds them."""
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        options = [_resolve(option, root) for option in field.get("anyOf", [field])]
        kind = " or ".join(_kind(option, root) for option in options if option.get("type") != "null")
        if name in required and any(option.get("type") == "null" for option in options):
            kind += " or null"
        yield path + ("" if name in required else "?"), kind, _meaning(field, root)
        for option in options:
            if option.get("type") == "array":
                yield from _rows(_resolve(option["items"], root), root, f"{path}[].")
            else:
                yield from _rows(option, root, f"{path}.")


def _resolve(schema: Schema, root: Schema) -> Schema:
    return root["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _meaning(field: Schema, root: Schema) -> str:
    return (
        str(field.get("description") or _resolve(field, root).get("description", ""))
        .partition("\n")[0]
        .replace("|", "\\|")
    )


def _kind(schema: Schema, root: Schema) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "pattern" in schema:
        return f"text `{schema['pattern']}`".replace("|", "\\|")
    if "title" in schema and schema.get("type") == "string":
        return str(schema["title"])
    if schema.get("type") == "array":
        inner = _kind(_resolve(schema["items"], root), root)
        bounds = _range(schema.get("minItems"), schema.get("maxItems"))
        return f"list of {inner}" + (f", {bounds} of them" if bounds else "")
    words = {"string": "text", "integer": "integer", "number": "number", "boolean": "true or false", "object": "object"}
    word = {"date": "date", "date-time": "RFC 3339 time"}.get(schema.get("format", ""), words[schema["type"]])
    if bounds := _range(schema.get("minimum"), schema.get("maximum")):
        return f"{word}, {bounds}"
    if bounds := _range(schema.get("minLength"), schema.get("maxLength")):
        return f"{word}, {bounds} characters"
    return word


def _range(low: int | None, high: int | None) -> str:
    if low is None and high is None:
        return ""
    if high is None:
        return f"at least {low}"
    top = "2^63-1" if high == MAX_ID else f"{high:,}"
    return f"at most {top}" if low is None else f"{low} to {top}"
