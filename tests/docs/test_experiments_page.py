"""What docs/experiments.md and the files beside it say is what the code does."""

import json
import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from benchmarks.experiments.assignment_elsewhere import assigned_at, edges_of
from experiment_builders import KNOWN
from experiments.arm_policies import ArmPolicy
from experiments.assignment import assigned, bucket
from experiments.checking import check
from experiments.definition import Definition, Status
from experiments.definition_file import definition_schema, read_definition
from experiments.metric_names import METRIC_NAMES
from experiments.vectors import vectors

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "experiments.md").read_text("utf-8")
BLOCKS: list[str] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def test_the_schema_is_that_of_the_code() -> None:
    assert json.loads((DOCS / "experiment.schema.json").read_text("utf-8")) == json.loads(
        json.dumps(definition_schema())
    )


def test_the_vectors_are_those_of_the_code() -> None:
    assert json.loads((DOCS / "experiments" / "vectors.json").read_text("utf-8")) == json.loads(json.dumps(vectors()))


def test_the_published_vectors_hold_in_a_second_implementation() -> None:
    from hashlib import sha256

    told = json.loads((DOCS / "experiments" / "vectors.json").read_text("utf-8"))
    for one in told["buckets"]:
        text = chr(0x1F).join((one["salt"], one["merchant_id"], one["unit_id"]))
        assert int(sha256(text.encode()).hexdigest()[:12], 16) % 10_000 == one["bucket"]
    for one in told["ranges"]:
        edges, answers = edges_of(one["weights"], one["hold_out"], one["coverage"])
        spans = {
            name: (start, end)
            for name, start, end in zip(answers[1:], edges, [*edges[1:], 10_000], strict=True)
            if name is not None and end > start
        }
        assert spans == {r["variant"]: (r["first"], r["end"]) for r in one["ranges"] if r["end"] > r["first"]}
    times = told["times"]
    for one in times["assigned"]:
        variant, propensity = assigned_at(times, one["unit_id"], one["failed_at"])
        assert variant == one["variant"]
        assert propensity == pytest.approx(one["propensity"])
    assert len({one["variant"] for one in times["assigned"]}) == 3


@pytest.mark.parametrize("text", BLOCKS)
def test_every_definition_of_the_page_can_be_used(text: str) -> None:
    read = read_definition(text, "page.toml")
    assert check(read, KNOWN) == ()
    assert read.definition is not None
    assert read.definition.status is Status.DRAFT
    assert tomllib.loads(text)


def test_every_key_policy_and_metric_is_named() -> None:
    kinds = [kind for policy in get_args(ArmPolicy) for kind in get_args(policy.__annotations__["kind"])]
    for word in (*Definition.__slots__, *kinds, *METRIC_NAMES):
        assert f"`{word}`" in PAGE, word
    assert assigned.__doc__ is not None
    assert str(bucket("plan-against-fixed-1", "acme", "cus_1")) in PAGE
