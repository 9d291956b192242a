"""What the rules can look at, read from the ledger: never more than their windows reach, never less."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from features.instants import to_micros
from features.vocabulary import Network, Outcome
from model.caps.engine import Proposal
from model.caps.rule import KeyPart
from model.caps.tally import Counter, Event, Tally
from serving.ledger.facts import event_of
from serving.ledger.selecting import FOR_EVER, Reach
from serving.ledger.store import Question, Row, Transaction, Value

# Fewer attempts than this on a method, mandate or payment are read whole, which is nearly always.
READ_WHOLE = 64
_EQUAL = frozenset({KeyPart.MERCHANT, KeyPart.METHOD, KeyPart.PAYMENT, KeyPart.AMOUNT})


@dataclass(frozen=True, slots=True)
class Held:
    """A reservation that is held, as others see it, with its row of the query `counted`."""

    reservation_id: str
    payment_id: str
    expires_at: int
    row: Row


@dataclass(frozen=True, slots=True)
class Around:
    """What stands in the ledger around a proposal, as rows of the query `counted`.

    Args:
        attempts: Each once for every scope (method, payment, mandate) that it shares.
        held: What is held on method, payment and mandate; one that shares several stands as often.
        standings: Topic, word and instant (microseconds) of the latest words on payment, consent and method.
    """

    attempts: list[Row]
    held: list[Row]
    standings: list[tuple[str, str, int]]


@dataclass(frozen=True, slots=True)
class Counters(Tally):
    """A tally of one proposal's counters, each picked out once however many rules ask for it."""

    _picked: dict[tuple[tuple[KeyPart, ...], bool], tuple[Event, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def counter(self, counter: Counter, key: tuple[KeyPart, ...], *, resets: bool) -> tuple[Event, ...]:
        """The events of one counter of the proposal."""
        picked = self._picked.get((key, resets))
        if picked is None:
            near = Tally(_sharing(self.events, counter, key))
            rest = tuple(part for part in key if part not in _EQUAL)
            picked = self._picked[key, resets] = near.counter(counter, rest, resets=resets)
        return picked

    def about(self, counter: Counter) -> Tally:  # noqa: ARG002 - all of them share method, mandate or payment
        """All of it."""
        return self


@dataclass(frozen=True, slots=True)
class Counted:
    """Attempts and holds as counters see them."""

    events: tuple[Event, ...]

    def tally(self, at: int, *, without: str | None = None) -> Counters:
        """The counters as they stand for an attempt at an instant.

        What is planned or was made later counts as if it were made then: it will share a window with the attempt,
        so that the later one keeps its place.
        """
        counted = (_not_after(event, at) for event in self.events if event.attempt_id != without)
        return Counters(tuple(sorted(counted, key=_order)))


def near_question(proposal: Proposal, until: int) -> Question:
    """What to ask to know what stands around a proposal up to an instant, as far as nearly always is enough."""
    return "counted", {**_values(proposal, until), "most": READ_WHOLE}


def around(transaction: Transaction, *proposals: Proposal) -> list[Around]:
    """Everything near that stands around each proposal, in one question each."""
    return [around_in(rows) for rows in transaction.ask(*(near_question(one, FOR_EVER) for one in proposals))]


def around_in(rows: Sequence[Row]) -> Around:
    """The rows of the question `near_question` by what they are."""
    found = Around([], [], [])
    for row in rows:
        if row[0] == "held":
            found.held.append(row)
        elif row[0] == "standing":
            found.standings.append((str(row[1]), str(row[2]), int(row[9] or 0)))
        else:
            found.attempts.append(row)
    return found


def all_attempts(transaction: Transaction, proposal: Proposal, at: int, reach: Reach, near: list[Row]) -> list[Row]:
    """The attempts that the rules can look at, given the nearest ones; reads on where there are more."""
    if len(near) >= READ_WHOLE:
        near = near + _further(transaction, _values(proposal, FOR_EVER), at, reach, near)
    return on_its_network(near, proposal)


def known_network(method_id: str, around: Around) -> Network | None:
    """The network of the latest attempt with a method of which it is known."""
    told = (row for row in around.attempts if row[3] == method_id and row[12] != Network.UNKNOWN)
    latest = max(told, key=lambda row: int(row[9] or 0), default=None)
    return None if latest is None else Network(str(latest[12]))


def on_its_network(rows: list[Row], proposal: Proposal) -> list[Row]:
    """The rows, those of the proposal's method on its network where nobody told which it was."""
    method_id, network = proposal.method.method_id, proposal.method.network
    if network is Network.UNKNOWN:
        return rows
    return [
        (*row[:12], network.value, *row[13:]) if row[12] == Network.UNKNOWN and row[3] == method_id else row
        for row in rows
    ]


def counted(merchant_id: str, attempts: list[Row], held: Sequence[Held], at: datetime, reach: Reach) -> Counted:
    """The rows as counters see them, each attempt and hold once; errors never reached anybody."""
    rows = _without_repeated(attempts, to_micros(at), reach)
    events = {str(row[1]): event_from(merchant_id, row) for row in rows if row[11] != Outcome.ERROR}
    return Counted((*events.values(), *(event_from(merchant_id, hold.row) for hold in held)))


def counted_then(
    transaction: Transaction, proposal: Proposal, at: int, attempt_id: str, reach: Reach, near: list[Row]
) -> Tally:
    """The counters as they stood when an attempt was made: those before it, with what was known of them then."""
    merchant_id = proposal.payment.merchant_id
    own = [row for row in near if row[0] not in {"held", "standing"}]
    rows = own if len(own) < READ_WHOLE else own + _further(transaction, _values(proposal, at), at, reach, own)
    rows = on_its_network(rows, proposal)
    events = {
        str(row[1]): _as_known(event_from(merchant_id, row), int(row[19] or 0), at)
        for row in rows
        if row[11] != Outcome.ERROR
    }
    before = (event for event in events.values() if (event.at, event.attempt_id) < (at, attempt_id))
    return Counters(tuple(sorted(before, key=_order)))


def holds(rows: Sequence[Row]) -> tuple[Held, ...]:
    """The rows of what is held, each hold once."""
    found = {str(row[1]): row for row in rows}
    return tuple(Held(name, str(row[2]), int(row[19] or 0), row) for name, row in found.items())


def event_from(merchant_id: str, row: Row) -> Event:
    """A row of the query as counters see it."""
    # What an attempt has its outcome's instant in, a hold has its end in.
    columns = (*row[1:19], None) if row[0] == "held" else row[1:20]
    return event_of(merchant_id, *columns)  # type: ignore[arg-type]  # the columns of the query, in its order


def _sharing(events: tuple[Event, ...], counter: Counter, key: tuple[KeyPart, ...]) -> tuple[Event, ...]:
    """Those that share what is plainly equal or not; all are of one merchant."""
    if KeyPart.METHOD in key:
        events = tuple([event for event in events if event.method_id == counter.method_id])
    if KeyPart.PAYMENT in key:
        events = tuple([event for event in events if event.payment_id == counter.payment_id])
    if KeyPart.AMOUNT in key:
        events = tuple([event for event in events if event.amount == counter.amount])
    return events


def _order(event: Event) -> tuple[int, str]:
    return event.at, event.attempt_id


def _values(proposal: Proposal, until: int) -> dict[str, Value]:
    return {
        "merchant_id": proposal.payment.merchant_id,
        "payment_id": proposal.payment.payment_id,
        "method_id": proposal.method.method_id,
        "mandate_id": proposal.method.mandate_id,
        "until": until,
    }


def _further(
    transaction: Transaction, values: dict[str, Value], until: int, reach: Reach, near: Sequence[Row]
) -> list[Row]:
    """What the nearest attempts leave out: all since an instant, and the last of each flavour before it."""
    full = {scope for scope in ("method", "payment", "mandate") if sum(row[0] == scope for row in near) >= READ_WHOLE}
    asked: list[Question] = []
    for scope in ("method", "mandate"):
        if scope in full:
            ranged = values | {"since": reach.by_scope(until)[scope]}
            asked += [(f"of_{scope}_since", ranged), (f"latest_flavours_of_{scope}", ranged)]
    if "payment" in full:
        asked.append(("all_of_payment", values))
    return [row for rows in transaction.ask(*asked) for row in rows] if asked else []


def _without_repeated(rows: list[Row], until: int, reach: Reach) -> list[Row]:
    """The rows without those that are older than every window and not the last of their flavour."""
    since = reach.by_scope(until)
    kept: list[Row] = []
    last: dict[tuple[str, Value], Row] = {}
    for row in rows:
        scope, at = str(row[0]), int(row[9] or 0)
        if at >= since[scope] or (scope != "held" and int(row[19] or 0) >= since[scope]):
            kept.append(row)
        elif (scope, row[20]) not in last or at > int(last[scope, row[20]][9] or 0):
            last[scope, row[20]] = row
    return [*kept, *last.values()]


def _as_known(event: Event, known_at: int, at: int) -> Event:
    return event if known_at <= at else replace(event, outcome=Outcome.UNKNOWN, decline=None, network_code=None)


def _not_after(event: Event, at: int) -> Event:
    return event if event.at <= at else replace(event, at=at, earliest=min(event.earliest, at))
