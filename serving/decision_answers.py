"""The shapes of kept decisions: as they were answered, listed, and computed again."""

from typing import Literal

import orjson
from pydantic import AwareDatetime, Field

from features.instants import from_micros
from serving.answer_schemas import DecisionAnswer, VersionsOut
from serving.kept_content import answer_in
from serving.ledger.decisions import Headline, KeptDecision
from serving.paging import Page
from serving.payment_answers import PageShape
from serving.recomputing import Recomputation, Recomputed
from serving.schemas import Shape


class DecisionHeadline(Shape):
    """A decision without its explanation."""

    decision_id: str
    payment_id: str
    as_of: AwareDatetime = Field(description="as of when it was decided (UTC)")
    answered_at: AwareDatetime = Field(description="when it was first answered (UTC)")
    action: Literal["retry", "stop", "hold"]
    reason: str | None = Field(description="why not; null for a retry")
    method_id: str | None = Field(description="null unless it is a retry")
    processor: str | None = Field(description="null unless it is a retry")
    propensity: float = Field(description="probability with which the policy takes this action")
    reservation_id: str | None = Field(description="what was held with it; null where nothing was")
    policy: str
    policy_source: str = Field(description="whether a trained model or the shipped prior scored")
    versions: VersionsOut


class DecisionsPage(PageShape):
    """Decisions, the latest first."""

    decisions: tuple[DecisionHeadline, ...]


class KeptDecisionOut(DecisionHeadline):
    """A decision as it was answered."""

    merchant_id: str
    answer: DecisionAnswer = Field(description="the answer, byte for byte, without the reservation")


class DifferenceOut(Shape):
    """A field in which what was answered or listed differs from what comes of it now."""

    field: str = Field(description="path in the answer; headline. and a name for what decisions are listed by")
    before: str | None = Field(description="what was answered, as JSON, shortened; null where there was no such field")
    after: str | None = Field(description="what comes of it now, likewise")


class DecisionReplay(Shape):
    """What came of computing a decision again from what it was made from."""

    decision_id: str
    outcome: Recomputation = Field(
        description="same: every byte of the answer, and all that it is listed by; differs: see differences; missing: "
        "it was not computed again, because something that it was made with is not there or cannot be read"
    )
    missing: tuple[str, ...] = Field(description="what is not there any more or cannot be read, one sentence each")
    fields: int = Field(description="in how many fields there is a difference")
    differences: tuple[DifferenceOut, ...] = Field(description="the first of them")
    versions: VersionsOut = Field(description="what it was made with")


def decisions_out(page: Page[Headline]) -> DecisionsPage:
    """A page of decisions."""
    found = tuple(headline_out(one) for one in page.items)
    return DecisionsPage(decisions=found, has_more=page.has_more, next_cursor=page.next_cursor)


def headline_out(one: Headline) -> DecisionHeadline:
    """A decision without its explanation."""
    return DecisionHeadline.model_validate(
        {
            "decision_id": one.decision_id,
            "payment_id": one.payment_id,
            "as_of": from_micros(one.as_of),
            "answered_at": from_micros(one.answered_at),
            "action": one.action,
            "reason": one.reason,
            "method_id": one.method_id,
            "processor": one.processor,
            "propensity": one.propensity,
            "reservation_id": one.reservation_id,
            "policy": one.policy,
            "policy_source": one.policy_source,
            "versions": versions_out(one),
        }
    )


def kept_decision_body(kept: KeptDecision) -> bytes:
    """The body of a `KeptDecisionOut`, in which the answer stands as it was sent."""
    head = headline_out(kept.headline).model_dump_json().encode().removesuffix(b"}")
    merchant = orjson.dumps(kept.headline.merchant_id)
    return b'%b,"merchant_id":%b,"answer":%b}' % (head, merchant, answer_in(kept.content))


def replay_out(found: Recomputed) -> DecisionReplay:
    """What came of computing a decision again."""
    return DecisionReplay(
        decision_id=found.headline.decision_id,
        outcome=found.outcome,
        missing=found.missing,
        fields=found.fields,
        differences=tuple(DifferenceOut(field=d.field, before=d.before, after=d.after) for d in found.differences),
        versions=versions_out(found.headline),
    )


def versions_out(one: Headline) -> VersionsOut:
    """What a decision was made with."""
    return VersionsOut(model=one.model, rulebook=one.rulebook, economics=one.economics, code=one.code)
