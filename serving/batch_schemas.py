"""The shapes of many decisions in one call: an entry, and the answer to one."""

from typing import Literal

from pydantic import Field

from serving.answer_schemas import DecisionAnswer, Problem
from serving.ledger_answers import ReservedDecisionAnswer
from serving.schemas import DecisionRequest, Shape


class BatchEntry(DecisionRequest):
    """A request for a decision, with a key of its own where it shall be answered once."""

    idempotency_key: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="a key of your own for this entry; for 24 hours the same entry under it gets the same answer",
    )


class BatchDecision(Shape):
    """An entry that was answered."""

    index: int = Field(description="which entry, counted from 0; blank lines do not count")
    status: Literal[200]
    replayed: bool = Field(description="whether the answer is the one that was given before under the same key")
    decision: ReservedDecisionAnswer | DecisionAnswer


class BatchRefusal(Shape):
    """An entry that was refused."""

    index: int = Field(description="which entry, counted from 0; blank lines do not count")
    status: int = Field(ge=400, le=599, description="the status that a call of its own would have had")
    replayed: bool = Field(description="whether the answer is the one that was given before under the same key")
    problem: Problem
