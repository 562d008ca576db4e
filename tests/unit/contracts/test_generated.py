"""Examples, schemas and dictionary are complete, valid and what the models say now."""

import base64
from pathlib import Path

import jsonschema_rs
import pytest

from contracts import envelope, generate
from contracts.times import parse_time
from contracts.topics import INPUT_TOPICS, OUTPUT_TOPICS, TOPICS

EXAMPLES = generate.load(generate.EXAMPLES)


def test_generated_files_are_up_to_date() -> None:
    stale = [str(path.relative_to(generate.ROOT)) for path in generate.drifted(generate.wanted())]
    assert not stale, f"{stale} drifted; repair: {generate.REPAIR}"


def test_a_committed_schema_only_grew() -> None:
    assert generate.broken() == []


def test_each_topic_has_one_example_and_one_schema() -> None:
    assert set(EXAMPLES) == set(TOPICS) == set(generate.load(generate.SCHEMAS))


@pytest.mark.parametrize("topic", TOPICS)
def test_each_example_is_a_whole_event_that_its_schema_takes(topic: str) -> None:
    example = EXAMPLES[topic]
    assert (example["specversion"], example["type"]) == ("1.0", topic)
    schema = generate.schema(TOPICS[topic])
    jsonschema_rs.meta.validate(schema)
    validator = jsonschema_rs.validator_for(schema)
    validator.validate(example["data"])
    for name in schema.get("required", []):
        assert not validator.is_valid({field: value for field, value in example["data"].items() if field != name})


def test_the_rejected_example_is_what_the_codec_says() -> None:
    example = EXAMPLES["event.rejected"]["data"]
    headers, value = envelope.encode_binary(
        type=example["topic"],
        id="2",
        source="/collection-sync",
        subject=example["key"],
        time=parse_time(example["seen_at"]),
        data=base64.b64decode(example["value_base64"]),
    )
    with pytest.raises(envelope.InvalidEvent) as caught:
        envelope.decode(example["topic"], example["key"].encode(), value, headers, 4_000_000_000_000)
    assert (caught.value.stage, caught.value.reason) == (example["stage"], example["reason"])


def test_the_dictionary_names_every_topic_and_field() -> None:
    text = generate.DICTIONARY.read_text("utf-8")
    for name, topic in TOPICS.items():
        section = text.partition(f"### {name}\n")[2].partition("\n### ")[0]
        assert topic.description in section
        for field in topic.model.model_fields:
            assert f"| `{field}" in section, f"{name}.{field}"


def test_topics_stand_in_the_order_of_the_contract() -> None:
    assert INPUT_TOPICS == (
        "user.joined", "user.deleted", "ownership.added", "ownership.removed", "collection.synced", "wishlist.added",
        "wishlist.removed", "review.approved", "edit.approved", "compare.used", "cron.anniversary", "cron.sweep",
        "release.described",
    )  # fmt: skip
    assert OUTPUT_TOPICS == ("badge.awarded", "badge.revoked", "event.rejected")
    assert all(topic.retention_days >= 7 for topic in TOPICS.values())
    assert all(TOPICS[name].max_message_bytes > envelope.MAX_VALUE_BYTES for name in INPUT_TOPICS)


def test_the_generator_tells_drift_and_breaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "SCHEMAS", tmp_path / "schemas")
    monkeypatch.setattr(generate, "DICTIONARY", tmp_path / "docs" / "events.md")
    assert generate.main(["--check"]) == 1
    assert "schemas/user.joined.json has drifted; repair: python -m contracts.generate" in capsys.readouterr().err
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    committed = tmp_path / "schemas" / "edit.approved.json"
    committed.write_text(committed.read_text("utf-8").replace('"maxLength": 128', '"maxLength": 256'), "utf-8")
    (tmp_path / "schemas" / "edit.undone.json").write_text("{}", "utf-8")
    capsys.readouterr()
    assert generate.main([]) == 1
    message = capsys.readouterr().err
    assert "edit.approved: data.edit_id: maxLength lowered to 128" in message
    assert "edit.undone: topic removed" in message
    assert generate.main(["--chekc"]) == 2
