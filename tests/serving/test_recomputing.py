"""A kept decision is computed again from what it was made from, never from what is in use now, or it is not at all."""

import shutil
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cap_builders import NOW, a_context, a_method, a_payment, an_attempt
from context_builders import contexts
from features.context import Context
from features.instants import to_micros
from features.vocabulary import Outcome as AttemptOutcome
from ledger_builders import declines, told
from model.caps.rulebook import Rulebook, Tightening
from model.caps.tally import event_of
from model.decision import StopReason
from model.economics import Economics
from model.record import NOTHING, Halt, Record
from serving.decided_with import Versions
from serving.differences import Difference, shown
from serving.keeping import keep_versions
from serving.kept_content import Content, packed, unpacked
from serving.kept_models import keep_artifact
from serving.ledger.decisions import Headline, KeptDecision, keep_version
from serving.ledger.ledger import Ledger
from serving.ledger.selecting import Selector
from serving.recomputing import Recomputation, Recomputed, recomputed
from serving.recorded import recorded
from serving.registry import Answering, read_scorer
from serving.reserving import Decided
from serving.service import Service, prior_service

PRIOR = prior_service()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger.opened(f"sqlite:///{tmp_path}/ledger.db?synchronous=normal")) as made:
        yield made


def a_failure(days: int = 2) -> Context:
    payment = replace(a_payment(), due_at=NOW - timedelta(hours=1), recover_by=NOW + timedelta(days=days))
    return a_context([an_attempt(1)], replace(a_method(), processors=("north",)), payment=payment)


def decided(service: Service, context: Context, record: Record = NOTHING) -> KeptDecision:
    return Decided.by(service, context, record).kept(NOW)


def on_record(ledger: Ledger, context: Context) -> Decided:
    """What is decided with everything counted that the ledger knows."""
    known = recorded(ledger, Selector(PRIOR.rulebook), context)
    return Decided.by(PRIOR, known.context, known.record)


def again(ledger: Ledger, kept: KeptDecision, now: Service = PRIOR, models: Path = Path("nowhere")) -> Recomputed:
    """Computed again by a process that has just been started with what is in use now."""
    return recomputed(kept, Versions(ledger.store, now, models))


@settings(max_examples=10, deadline=None, database=None, derandomize=True)
@given(contexts(), st.lists(st.integers(1, 2_000), max_size=6), st.sampled_from([None, *StopReason]))
def test_whatever_was_known_is_kept_and_gives_the_same_bytes_again(
    context: Context, hours: list[int], stopped: StopReason | None
) -> None:
    method, merchant = context.methods[0], context.payment.merchant_id
    past = [
        replace(an_attempt(hour, method=method, payment_id=f"other{i}", before=context.as_of), attempt_id=f"past{i}")
        for i, hour in enumerate(hours)
    ]
    ahead = [
        replace(one, attempt_id=f"hold{one.attempt_id}", outcome=AttemptOutcome.UNKNOWN, decline=None) for one in past
    ]
    halt = None if stopped is None else Halt(stopped, ("Somebody said so, “loudly”.",))
    record = Record(tuple(event_of(one, method, merchant) for one in (*past, *ahead)), halt)
    made = Decided.by(PRIOR, context, record)
    steps = made.decision.stepped_down
    assert unpacked(packed(context, record, made.answer, steps)) == Content(context, record, made.answer, steps)
    kept = made.kept(context.as_of)
    versions = Versions(_NoStore(), PRIOR, Path("nowhere"))  # type: ignore[arg-type]  # nothing is looked up
    assert recomputed(kept, versions).outcome is Recomputation.SAME
    assert kept.headline.propensity == made.decision.choice.propensity


class _NoStore:
    """A store that nobody asks."""


def test_with_what_the_ledger_knew_then_though_it_knows_more_now(ledger: Ledger) -> None:
    context = a_failure()
    ledger.record([told(attempt) for attempt in (*context.attempts, *declines(9, every=30))], NOW)
    made = on_record(ledger, context)
    assert made.record.events
    ledger.record([told(attempt) for attempt in declines(14, every=7)], NOW)
    assert again(ledger, made.kept(NOW)).outcome is Recomputation.SAME
    assert on_record(ledger, context).answer != made.answer


def changed_services() -> Iterator[tuple[str, Service]]:
    figures = Economics.from_toml("[value]\nmargin = 0.01\n")
    yield "economics", replace(PRIOR, economics=figures)
    cap = next(rule for rule in PRIOR.rulebook.rules if rule.limit and rule.rule_id.startswith("visa"))
    yield "rulebook", replace(PRIOR, rulebook=PRIOR.rulebook.tightened({cap.rule_id: Tightening(limit=1)}))


@pytest.mark.parametrize(("what", "then"), list(changed_services()))
def test_with_the_settings_of_then_after_they_were_changed(ledger: Ledger, what: str, then: Service) -> None:
    kept = decided(then, a_failure())
    assert kept.content != decided(PRIOR, a_failure()).content
    (missing,) = again(ledger, kept).missing
    assert missing.startswith(f"{what.capitalize()} {getattr(kept.headline, what)} is not kept")
    keep_versions(ledger, then)
    assert again(ledger, kept) == Recomputed(kept.headline, Recomputation.SAME)


def test_a_rulebook_kept_is_the_rulebook_whole(ledger: Ledger) -> None:
    keep_versions(ledger, PRIOR)
    other = replace(
        PRIOR, rulebook=Rulebook(PRIOR.rulebook.rules[:1]), economics=Economics.from_toml("[value]\nmargin=1.0")
    )
    parts = Versions(ledger.store, other, Path("nowhere")).of(decided(PRIOR, a_failure()).headline)
    assert getattr(parts, "rulebook", None) == PRIOR.rulebook
    assert getattr(parts, "economics", None) == PRIOR.economics


def test_with_the_model_of_then_as_long_as_its_artifact_is_kept(ledger: Ledger, artifact: Path, tmp_path: Path) -> None:
    folder, models = tmp_path / "mine", tmp_path / "models"
    shutil.copytree(artifact, folder)
    with_model = replace(PRIOR, answering=Answering(read_scorer(folder), "a test", folder=folder))
    kept = decided(with_model, a_failure())
    assert keep_artifact(folder, models) == keep_artifact(folder, models)
    shutil.rmtree(folder)
    assert again(ledger, kept, models=models).outcome is Recomputation.SAME

    (found,) = models.iterdir()
    (found / "model.json").write_text("{}")
    (changed,) = again(ledger, kept, models=models).missing
    assert "was changed after it was written" in changed
    shutil.rmtree(models)
    gone = again(ledger, kept, models=models)
    assert (gone.outcome, gone.missing) == (
        Recomputation.MISSING,
        (f"No artifact of model {kept.headline.model} is kept in {models}.",),
    )


def test_what_is_missing_is_said_all_of_it_and_nothing_takes_its_place(ledger: Ledger) -> None:
    kept = decided(PRIOR, a_failure())
    other = replace(kept, headline=replace(kept.headline, code="0.0.1", model="m", rulebook="r", economics="e"))
    found = again(ledger, other)
    assert found.outcome is Recomputation.MISSING
    assert [sentence.split()[0:2] for sentence in found.missing] == [
        ["It", "was"], ["No", "artifact"], ["Rulebook", "r"], ["Economics", "e"],
    ]  # fmt: skip
    unknown = replace(kept, headline=replace(kept.headline, policy="astrology"))
    assert again(ledger, unknown).missing == ("Policy astrology is not one of this program.",)
    assert again(ledger, replace(kept, content=b"gone")).outcome is Recomputation.MISSING


def test_what_differs_is_named_field_by_field(ledger: Ledger) -> None:
    context = a_failure()
    made = Decided.by(PRIOR, context)
    answer = orjson.loads(made.answer)
    answer["plan"]["expected_attempts"] = 99.0
    answer["policy"] = "other"
    del answer["payment_id"]
    kept = replace(made.kept(NOW), content=packed(context, NOTHING, orjson.dumps(answer), made.decision.stepped_down))
    found = again(ledger, kept)
    assert (found.outcome, found.fields) == (Recomputation.DIFFERS, 3)
    fields = {one.field: (one.before, one.after is not None) for one in found.differences}
    assert fields == {
        "plan.expected_attempts": ("99.0", True), "policy": ('"other"', True), "payment_id": (None, True),
    }  # fmt: skip
    spaced = replace(
        kept, content=packed(context, NOTHING, made.answer.replace(b'":', b'": ', 1), made.decision.stepped_down)
    )
    assert [one.field for one in again(ledger, spaced).differences] == ["body"]


def test_instants_are_kept_to_the_microsecond(ledger: Ledger) -> None:
    context = replace(a_failure(), as_of=NOW + timedelta(microseconds=1))
    kept = Decided.by(PRIOR, context).kept(NOW + timedelta(microseconds=2))
    assert (kept.headline.as_of, kept.headline.answered_at) == (to_micros(NOW) + 1, to_micros(NOW) + 2)
    assert again(ledger, kept).outcome is Recomputation.SAME


def test_contents_that_were_exchanged_are_told_by_their_ids(ledger: Ledger) -> None:
    one, other = decided(PRIOR, a_failure()), decided(PRIOR, a_failure(days=3))
    found = again(ledger, replace(one, content=other.content))
    assert found.outcome is Recomputation.DIFFERS
    ids = shown(one.headline.decision_id), shown(other.headline.decision_id)
    assert found.differences == (Difference("headline.decision_id", *ids),)


def with_column(kept: KeptDecision, column: str, value: str | float | None) -> KeptDecision:
    columns = {name: getattr(kept.headline, name) for name in Headline.__dataclass_fields__}
    return replace(kept, headline=Headline(**columns | {column: value}))


OF_THE_ANSWERING = ("answered_at", "reservation_id")  # which follow from no decision
OF_WHAT_DECIDES = ("policy", "model", "rulebook", "economics", "code")  # by which it is computed, or is not


@pytest.mark.parametrize("column", Headline.__dataclass_fields__)
@pytest.mark.parametrize("halt", [None, Halt(StopReason.OPTED_OUT, ("Somebody said so.",))])
def test_whatever_it_is_listed_by_must_follow_from_the_decision(ledger: Ledger, column: str, halt: Halt | None) -> None:
    kept = decided(PRIOR, a_failure(), Record((), halt))
    had = getattr(kept.headline, column)
    changed = had - 1 if isinstance(had, int) else 0.25 if isinstance(had, float) else f"{had}x"
    found = again(ledger, with_column(kept, column, changed))
    if column in OF_THE_ANSWERING:
        assert found.outcome is Recomputation.SAME
    elif column in OF_WHAT_DECIDES:
        assert found.outcome is not Recomputation.SAME
    else:
        assert (found.outcome, found.fields) == (Recomputation.DIFFERS, 1)
        assert found.differences == (Difference(f"headline.{column}", shown(changed), shown(had)),)


@pytest.mark.parametrize("column", ["method_id", "processor", "reason", "payment_id"])
@pytest.mark.parametrize("halt", [None, Halt(StopReason.OPTED_OUT, ("Somebody said so.",))])
def test_a_column_that_was_emptied_is_missed(ledger: Ledger, column: str, halt: Halt | None) -> None:
    kept = decided(PRIOR, a_failure(), Record((), halt))
    had = getattr(kept.headline, column)
    found = again(ledger, with_column(kept, column, None))
    assert (found.outcome is Recomputation.SAME) == (had is None)


def changed(parts: list[bytes]) -> Iterator[tuple[list[bytes], str]]:
    """Content with a part of it damaged, and the word by which that is told."""
    context, record, answer, steps = parts
    for wrong in (b'{"broken', b"[]", b"3", b"", b"null", b"{}", b'{"experiment":' + b"[" * 300 + b"]" * 300 + b"}"):
        yield [context, record, wrong, steps], "answer"
    for variant in (b"3", b"{}", b'{"key":1,"variant":2}', b'{"key":"a","variant":"b","propensity":"x","tester":null}'):
        yield [context, record, answer.replace(b'"experiment":null', b'"experiment":' + variant), steps], "answer"
    for wrong in (b"{bad", b"{}", b'[{"why":"no"}]', b"\xff"):
        yield [context, record, answer, wrong], "stepped_down"
    for wrong in (b"[1", b"{}", context.replace(b'"card"', b'"nonsense"')):
        yield [wrong, record, answer, steps], ""
    for wrong in (b"x", b'{"events":3}'):
        yield [context, wrong, answer, steps], ""
    yield [*parts, b""], "content"


def test_content_that_is_damaged_is_told_and_not_computed(ledger: Ledger) -> None:
    kept = decided(PRIOR, a_failure())
    for parts, named in changed(zlib.decompress(kept.content).split(b"\n")):
        found = again(ledger, replace(kept, content=zlib.compress(b"\n".join(parts))))
        (sentence,) = found.missing
        assert found.outcome is Recomputation.MISSING
        assert sentence.startswith(f"Its content cannot be read: {named}"), parts
    for cut in (kept.content[:-1], kept.content + b"x", b"", b"x" * 20):
        assert "compressed" in again(ledger, replace(kept, content=cut)).missing[0]


def test_an_instant_that_no_decision_can_have_is_told_of_that_decision_alone(ledger: Ledger) -> None:
    kept = decided(PRIOR, a_failure())
    context, *rest = zlib.decompress(kept.content).split(b"\n")
    far = orjson.loads(context) | {"as_of": "9999-12-31T23:59:59Z"}
    found = again(ledger, replace(kept, content=zlib.compress(b"\n".join((orjson.dumps(far), *rest)))))
    assert found.outcome is not Recomputation.SAME


def test_a_rulebook_whose_kept_bytes_are_damaged_is_missing(ledger: Ledger) -> None:
    kept = decided(PRIOR, a_failure())
    for version, content in (("garbage", b"garbage"), ("text", zlib.compress(b"text"))):
        keep_version(ledger.store, "rulebook", version, content)
        found = again(ledger, replace(kept, headline=replace(kept.headline, rulebook=version)))
        assert found.outcome is Recomputation.MISSING
        assert "rulebook" in found.missing[0].lower()
