"""Definitions are read whole, and everything that is wrong with one is said at once, each thing in a sentence."""

import tomllib
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiment_builders import TEXT, a_definition, sentences, text_with
from experiments.definition import Method, Status, Unit
from experiments.definition_file import definition_schema, read_definition

Table = dict[str, object]


def test_a_sound_text_is_read_with_its_defaults() -> None:
    read = a_definition()
    assert (read.status, read.unit, read.method) == (Status.DRAFT, Unit.CUSTOMER, Method.SEQUENTIAL)
    assert (read.alpha, read.hold_out, read.namespace.end) == (0.05, 0.0, 10_000)
    assert list(read.variants) == ["fixed", "plan"]


@pytest.mark.parametrize(
    ("swap", "sentence"),
    [
        (
            ('owner = "payments"', 'ownr = "payments"'),
            "first.toml, ownr: 'payments' is not accepted; no such key is known here; did you mean owner?",
        ),
        (
            ('status = "draft"', 'status = "drafft"'),
            "first.toml, status: 'drafft' is not accepted; expected one of draft,",
        ),
        (
            ("window_days = 30", 'window_days = "30"'),
            "first.toml, window_days: '30' is not accepted; expected days after",
        ),
        (("window_days = 30", ""), "first.toml, window_days: is missing; expected days after the first failure"),
        (
            ("weight = 0.5", "weight = 1.4"),
            "first.toml, variants.fixed.weight: 1.4 is not accepted; expected a share above",
        ),
        (
            ("days = [1, 3, 5, 7]", "dayz = [1]"),
            "first.toml, variants.fixed.policy.dayz: 1 is not accepted; no such key is known here; did you mean days?",
        ),
        (
            ('kind = "plan"', 'kind = "plann"'),
            "first.toml, variants.plan.policy.kind: 'plann' is not accepted; expected one of exploring_plan,",
        ),
        (
            ("[variants.plan]", '[variants."The Plan"]'),
            "first.toml, variants.The Plan: 'The Plan' is not accepted; expected",
        ),
        (
            ("\n[variants.fixed]", "\nalpha = true\n[variants.fixed]"),
            "first.toml, alpha: true is not accepted; expected the",
        ),
        (("key =", "key"), "first.toml, the file: 'its text' is not accepted; expected TOML, but"),
    ],
)
def test_each_broken_field_gets_a_sentence_with_file_key_value_and_remedy(swap: tuple[str, str], sentence: str) -> None:
    said = sentences(text_with(swap))
    assert any(one.startswith(sentence.replace("1 is not", "a list of 1 is not")) for one in said) or any(
        one.startswith(sentence) for one in said
    ), said


def test_faults_of_fields_and_of_their_meaning_are_told_together() -> None:
    said = sentences(
        text_with(
            ('owner = "payments"', 'owner = "payments"\nalfa = 0.1'),
            ('primary_metric = "recovered_value"', 'primary_metric = "revenue"'),
            ("weight = 0.5", "weight = 0.7"),
            (
                'policy = { kind = "plan" }',
                'policy = { kind = "plan" }\ntighten = { visa-cat2-reattempt-cap = { limit = 99 } }',
            ),
        )
    )
    keys = [sentence.split(", ", 1)[1].split(": ", 1)[0] for sentence in said]
    assert keys == ["alfa", "variants", "variants.plan.tighten.visa-cat2-reattempt-cap.limit", "primary_metric"]


def test_what_cannot_be_used_is_not_complained_about_twice() -> None:
    assert len(sentences(text_with(("weight = 0.5", "weight = 7")))) == 1
    assert len(sentences(text_with(('control = "fixed"', "control = 3")))) == 1


def test_text_that_is_no_definition_at_all_says_all_that_is_missing() -> None:
    read = read_definition("", "empty.toml")
    assert read.definition is None
    assert {fault.key for fault in read.faults} >= {"key", "owner", "salt", "variants", "window_days", "control"}


def test_a_card_number_is_not_repeated() -> None:
    assert "4111111111111111" not in " ".join(sentences(text_with(('owner = "payments"', "owner = 4111111111111111"))))


def test_the_schema_knows_every_key_that_is_read_and_no_other() -> None:
    schema = definition_schema()
    properties = cast("Table", schema["properties"])
    assert set(tomllib.loads(TEXT)) <= set(properties)
    assert schema["additionalProperties"] is False
    for name, field in properties.items():
        assert "description" in cast("Table", field), name


odd = st.sampled_from(
    [
        "''", "'x'", "-1", "0", "7", "10000000000000000000000", "0.5", "nan", "inf", "true", "[]", "['a', 1]", "{}",
        "{ a = 1 }", "2026-01-01", "2026-01-01T00:00:00", "07:30:00", "'\\u0000'", "[[1], {}]",
    ]
)  # fmt: skip
lines = st.sampled_from([line.split(" = ")[0] for line in TEXT.splitlines() if " = " in line])


@given(
    st.lists(st.tuples(lines, odd), min_size=1, max_size=4), st.sampled_from(["", "target", "namespace", "overrides"])
)
@settings(max_examples=150, deadline=None)
def test_whatever_a_value_is_changed_to_it_is_read_or_refused_in_sentences(
    changes: list[tuple[str, str]], table: str
) -> None:
    text = f"{table} = {changes[0][1]}\n{TEXT}" if table else TEXT
    for key, value in changes:
        text = "\n".join(f"{key} = {value}" if line.startswith(f"{key} = ") else line for line in text.splitlines())
    read = read_definition(text, "first.toml")
    assert read.faults or read.definition is not None
    said = sentences(text)
    assert all(one.startswith("first.toml, ") and "\n" not in one for one in said)
    assert len(set(said)) == len(said)
