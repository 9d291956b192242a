"""Decisions as they were answered, each kept once with all that it was made from, and found again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from features.instants import from_micros, to_micros
from serving.ledger.store import Question, Row, Store, Value, Values

_FORGOTTEN_AT_ONCE = 500
_A_PAGE = 200
_AFTER_ALL = 1 << 62


@dataclass(frozen=True, slots=True)
class Headline:
    """What is known of a kept decision without opening its content.

    Args:
        as_of, answered_at: As of when it was decided, and when it was answered (int64 microseconds, UTC).
        reservation_id: What was held with it; None where nothing was.
        policy: Which policy chose, `policy_source` what scored, the next four with which versions.
        action: `retry`, with `method_id` and `processor`; or `stop` or `hold`, with `reason`.
    """

    merchant_id: str
    decision_id: str
    payment_id: str
    as_of: int
    answered_at: int
    reservation_id: str | None
    policy: str
    policy_source: str
    model: str
    rulebook: str
    economics: str
    code: str
    action: str
    reason: str | None
    method_id: str | None
    processor: str | None
    propensity: float

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands among those of its merchant."""
        return self.answered_at, self.decision_id


@dataclass(frozen=True, slots=True)
class KeptDecision:
    """A decision as it is kept; `content` holds context, record and answer, see `serving.kept_content`."""

    headline: Headline
    content: bytes


_COLUMNS = tuple(Headline.__dataclass_fields__)


def kept_beside(kept: KeptDecision) -> Question:
    """The statement that keeps a decision, to be run in a transaction; one with a hold only where the hold is."""
    headline = kept.headline
    row: dict[str, Value] = {column: getattr(headline, column) for column in _COLUMNS}
    return "insert_decision", row | {"content": kept.content}


def maybe_decision(store: Store, merchant_id: str, decision_id: str) -> KeptDecision | None:
    """One decision of a merchant, if it is kept."""
    found = _rows(store, "decision", {"merchant_id": merchant_id, "decision_id": decision_id})
    return _kept(found[0]) if found else None


def decisions_called(store: Store, beginning: str) -> tuple[KeptDecision, ...]:
    """The decisions of anybody whose id (`dec_` and hexadecimal digits) begins so, two at most."""
    values = {"first": beginning, "last": beginning + "g"}
    return tuple(_kept(row) for row in _rows(store, "decisions_called", values))


def decisions_before(
    store: Store, merchant_id: str, payment_id: str | None, most: int, before: tuple[int, str] | None
) -> tuple[Headline, ...]:
    """A merchant's or a payment's decisions before a place, the latest first."""
    at, decision_id = before or (_AFTER_ALL, "")
    values: dict[str, Value] = {"merchant_id": merchant_id, "at": at, "decision_id": decision_id, "most": most}
    if payment_id is None:
        return tuple(_headline(row) for row in _rows(store, "decisions_of_merchant", values))
    found = _rows(store, "decisions_of_payment", values | {"payment_id": payment_id})
    return tuple(_headline(row) for row in found)


def decisions_between(store: Store, since: datetime, until: datetime) -> Iterator[KeptDecision]:
    """Everybody's decisions answered from one instant to another, earliest first, a page at a time."""
    place: tuple[int, str, str] = (to_micros(since), "", "")
    while True:
        at, merchant_id, decision_id = place
        values: dict[str, Value] = {
            "at": at,
            "merchant_id": merchant_id,
            "decision_id": decision_id,
            "until": to_micros(until),
            "most": _A_PAGE,
        }
        page = [_kept(row) for row in _rows(store, "decisions_between", values)]
        yield from page
        if len(page) < _A_PAGE:
            return
        last = page[-1].headline
        place = (last.answered_at, last.merchant_id, last.decision_id)


def count_between(store: Store, since: datetime, until: datetime) -> int:
    """How many decisions were answered from one instant to another."""
    ((count,),) = _rows(store, "count_decisions", {"since": to_micros(since), "until": to_micros(until)})
    return int(count or 0)


def forget_decisions(store: Store, before: datetime, most: int) -> int:
    """Forget decisions that were answered before an instant, the oldest first, and say how many.

    Args:
        most: No more than so many in this call; done in short transactions, so that nobody waits long.
    """
    forgotten = 0
    while forgotten < most:
        at_once = min(_FORGOTTEN_AT_ONCE, most - forgotten)
        with store.writing() as transaction:
            some = transaction.change("forget_decisions", {"before": to_micros(before), "most": at_once})
        forgotten += some
        if some < at_once:
            break
    return forgotten


def keep_version(store: Store, kind: str, version: str, content: bytes) -> None:
    """Keep what a version holds; what is kept already stays."""
    if maybe_version(store, kind, version) is None:
        with store.writing() as transaction:
            transaction.put("insert_version", {"kind": kind, "version": version, "content": content})


def maybe_version(store: Store, kind: str, version: str) -> bytes | None:
    """What a version holds, if it is kept."""
    found = _rows(store, "version_content", {"kind": kind, "version": version})
    return _bytes(found[0][0]) if found else None


def _rows(store: Store, name: str, values: Values) -> Sequence[Row]:
    with store.reading() as transaction:
        (rows,) = transaction.ask((name, values))
    return rows


def _kept(row: Row) -> KeptDecision:
    return KeptDecision(_headline(row[:-1]), _bytes(row[-1]))


def _headline(row: Row) -> Headline:
    return Headline(*row)  # type: ignore[arg-type]  # the columns of the query


def _bytes(value: Value) -> bytes:
    return value if isinstance(value, bytes) else b""


def answered_at(headline: Headline) -> datetime:
    """When it was answered (UTC)."""
    return from_micros(headline.answered_at)
