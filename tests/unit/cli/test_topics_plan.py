"""What `gatefold topics` would do, from what exists."""

from contracts.topics import INPUT_TOPICS, TOPICS
from services.settings import Settings
from services.topics import Declared, plan, wanted_config

SETTINGS = Settings(topic_prefix="p.", topic_partitions=4)


def as_declared(partitions: int = 4) -> dict[str, Declared]:
    return {"p." + name: Declared(partitions, wanted_config(topic)) for name, topic in TOPICS.items()}


def test_nothing_there_means_everything_is_created() -> None:
    todo = plan(SETTINGS, {})
    assert list(todo.create) == ["p." + name for name in TOPICS]
    assert (todo.partitions, todo.refusal, list(todo.differences)) == (4, None, [])


def test_everything_there_means_nothing_to_do() -> None:
    todo = plan(SETTINGS, as_declared())
    assert (dict(todo.create), todo.refusal, list(todo.differences)) == ({}, None, [])


def test_topics_of_others_are_none_of_our_business() -> None:
    assert len(plan(SETTINGS, {"user.joined": Declared(9, {})}).create) == len(TOPICS)


def test_input_topics_that_differ_are_refused_whatever_is_asked_for() -> None:
    there = as_declared()
    there["p." + INPUT_TOPICS[3]] = Declared(5, {})
    refusal = plan(SETTINGS, there).refusal
    assert refusal is not None
    assert f"5: p.{INPUT_TOPICS[3]}" in refusal


def test_all_input_topics_alike_but_not_as_asked_for_are_refused() -> None:
    assert "GATEFOLD_TOPIC_PARTITIONS asks for 4" in str(plan(SETTINGS, as_declared(8)).refusal)


def test_a_differing_output_topic_is_fine() -> None:
    there = {**as_declared(), "p.badge.awarded": Declared(1, wanted_config(TOPICS["badge.awarded"]))}
    assert plan(SETTINGS, there).refusal is None


def test_input_topics_take_what_the_contract_calls_oversize() -> None:
    for name in INPUT_TOPICS:
        config = wanted_config(TOPICS[name])
        assert int(config["max.message.bytes"]) > 1_000_000
        assert config["message.timestamp.type"] == "LogAppendTime"
