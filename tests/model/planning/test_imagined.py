"""Imagined contexts are those that would be made with every check, and share what they have in common."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from context_builders import NOW, card, context, contexts, failed
from features.context import Context
from model.candidates import candidates, horizon_of
from model.failures import failures
from model.planning.imagined import Imagining


@given(contexts(), st.lists(st.integers(0, 400), min_size=1, max_size=4, unique=True))
@settings(max_examples=60, deadline=None)
def test_they_are_what_replacing_the_attempts_gives(failure: Context, drawn: list[int]) -> None:
    retries = candidates(failure, horizon_of(failure))
    path = [retries[i] for i in sorted({place % len(retries) for place in drawn})] if len(retries) else []
    imagining = Imagining(failure)
    imagined = imagining.after(path)
    attempts = [imagining.attempt(number, retry) for number, retry in enumerate(path)]
    for attempt, retry in zip(attempts, path, strict=True):
        assert attempt == replace(attempt, at=retry.slot.start)
        assert (attempt.method_id, attempt.processor) == (retry.method_id, retry.processor)
        failed_with = failures(failure, retry.method_id)[-1:]
        waited = sum((one.known_at - one.at for one in failed_with), timedelta(0))
        assert attempt.known_at - attempt.at == imagining.answer_time(retry.method_id) == waited
    known = max([failure.as_of, *(attempt.known_at for attempt in attempts)])
    assert imagined == replace(failure, attempts=(*failure.attempts, *attempts), as_of=known)
    assert imagined.methods is failure.methods
    assert all(ours is theirs for ours, theirs in zip(imagined.attempts, failure.attempts, strict=False))


def test_an_attempt_of_the_same_instant_keeps_its_place_by_its_name() -> None:
    one, two = card(), card("card_2")
    last = replace(failed(one, ago=timedelta(0)), attempt_id="zzz")
    failure = context([one, two], [last])
    at_once = next(retry for retry in candidates(failure, NOW + timedelta(hours=2)) if retry.slot.start == NOW)
    assert [attempt.attempt_id for attempt in Imagining(failure).after([at_once]).attempts][-1] == "zzz"
