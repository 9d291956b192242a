"""Screening agrees with asking every rule about every instant, one by one."""

from datetime import timedelta

from hypothesis import given, settings

from context_builders import NOW, card, context, contexts, failed
from features.context import Context
from features.instants import MICROSECOND
from features.vocabulary import Network
from model.candidates import candidates, horizon_of
from model.caps.engine import verdicts
from model.caps.proposal import Proposal
from model.caps.rulebook import Rulebook
from model.caps.tally import tally_of
from model.caps.verdict import Verdict
from model.decision import Removed
from model.record import Judge
from model.screening import screen, verdicts_on

RULEBOOK = Rulebook.load()


@given(contexts())
@settings(max_examples=60, deadline=None)
def test_exactly_what_no_rule_forbids_is_allowed(failure: Context) -> None:
    proposed = candidates(failure, horizon_of(failure))[::7]
    screened = screen(failure, proposed, RULEBOOK)
    tally = tally_of(failure)
    for retry in proposed:
        proposal = Proposal(failure.payment, failure.method(retry.method_id), retry.processor, decided_at=failure.as_of)
        ends = (retry.slot.start, retry.slot.end - MICROSECOND)
        answers = [verdicts(RULEBOOK, tally, proposal, at) for at in ends]
        free = all(verdict.allowed for answer in answers for verdict in answer)
        assert (retry in screened.allowed) is free
        assert all(v.allowed for v in verdicts_on(failure, retry, RULEBOOK)) is free


@given(contexts())
@settings(max_examples=60, deadline=None)
def test_what_was_removed_adds_up(failure: Context) -> None:
    proposed = candidates(failure, horizon_of(failure))
    screened = screen(failure, proposed, RULEBOOK)
    assert len(screened.allowed) == len(screened.verdicts)
    for removed in screened.removed:
        of_method = [r for r in proposed if r.method_id == removed.method_id]
        assert removed.proposed == len(of_method)
        assert 0 < removed.removed <= len(of_method) - sum(r.method_id == removed.method_id for r in screened.allowed)
        assert not removed.verdict.allowed


def test_an_advised_wait_removes_the_slots_before_it_and_says_until_when() -> None:
    method = card(network=Network.MASTERCARD)
    failure = context([method], [failed(method, "51", advice_code="27", ago=timedelta(0))])
    screened = screen(failure, candidates(failure, horizon_of(failure)), RULEBOOK)
    assert screened.allowed[0].slot.start >= NOW + timedelta(days=4)
    waits = [r for r in screened.removed if r.verdict.frees_at is not None]
    assert {r.verdict.frees_at for r in waits} == {NOW + timedelta(days=4)}


@given(contexts())
@settings(max_examples=60, deadline=None)
def test_what_was_removed_is_told_in_the_order_met_with_the_last_that_was_met(failure: Context) -> None:
    proposed = candidates(failure, horizon_of(failure))
    refused: dict[tuple[str, str], list[Verdict]] = {}
    for retry in proposed:
        proposal = Proposal(failure.payment, failure.method(retry.method_id), retry.processor, decided_at=failure.as_of)
        judge = Judge(RULEBOOK, tally_of(failure), proposal, failure.as_of)
        for verdict in judge.throughout(retry.slot.start_micros, retry.slot.end_micros)[1]:
            if not verdict.allowed:
                refused.setdefault((retry.method_id, verdict.rule_id), []).append(verdict)
    methods = [retry.method_id for retry in proposed]
    expected = [Removed(m, methods.count(m), len(found), found[-1]) for (m, _), found in refused.items()]
    assert list(screen(failure, proposed, RULEBOOK).removed) == expected
