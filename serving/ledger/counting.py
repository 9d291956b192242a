"""What the rules can look at, read from the ledger: never more than their windows reach, never less."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from features.instants import MICROS_PER_DAY, MICROS_PER_HOUR, to_micros
from features.vocabulary import Outcome
from model.caps.engine import Proposal
from model.caps.proposal import binds
from model.caps.rule import CapRule, KeyPart, Kind
from model.caps.rulebook import Rulebook
from model.caps.tally import Counter, Event, Tally
from serving.ledger.facts import event_of
from serving.ledger.store import Question, Row, Transaction, Value

# Fewer attempts than this on a method, mandate or payment are read whole, which is nearly always.
READ_WHOLE = 64
_SELECTIONS = 4_096
_FOR_EVER = 1 << 62
_EQUAL = frozenset({KeyPart.MERCHANT, KeyPart.METHOD, KeyPart.PAYMENT, KeyPart.AMOUNT})


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back rules look.

    Args:
        window_micros: Twice the longest window of a cap, because what counts in a window may depend on a decline a
            whole window before it; and two days, where only the day of an attempt is known.
        of_method, of_mandate: Whether some rule counts all of a method's or a mandate's attempts ever.
    """

    window_micros: int
    of_method: bool
    of_mandate: bool

    def since(self, scope: str, until: int) -> int:
        """From when on every attempt of a scope matters at an instant (microseconds since 1970)."""
        whole = {"method": self.of_method, "mandate": self.of_mandate}.get(scope, True)
        return -_FOR_EVER if whole else until - self.window_micros


@dataclass(frozen=True, slots=True)
class Selected:
    """The rules that bind on a day, those of them that may forbid something, and how far back they look."""

    rulebook: Rulebook
    forbidding: Rulebook
    reach: Reach


@dataclass(frozen=True, slots=True)
class Held:
    """A reservation that is held, as others see it."""

    reservation_id: str
    payment_id: str
    expires_at: int
    event: Event


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
    """What stands in the ledger around a proposal.

    Args:
        events: Attempts and holds as counters see them.
        held: The holds among them.
    """

    events: tuple[Event, ...]
    held: tuple[Held, ...]

    def tally(self, at: int, *, without: str | None = None) -> Counters:
        """The counters as they stand for an attempt at an instant.

        What is planned or was made later counts as if it were made then: it will share a window with the attempt,
        so that the later one keeps its place.
        """
        counted = (_not_after(event, at) for event in self.events if event.attempt_id != without)
        return Counters(tuple(sorted(counted, key=_order)))


class Selector:
    """Picks the rules that bind, once for each kind of attempt and day; the engine looks at them closely."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._rulebook = rulebook
        self._selected: dict[tuple[object, ...], Selected] = {}

    def selected(self, proposal: Proposal, at: datetime) -> Selected:
        """The rules for such an attempt on that day (UTC)."""
        method = proposal.method
        kind = (
            *(method.rail, method.network, proposal.processor, proposal.initiator),
            *(proposal.countries, proposal.issuers, at.date()),
        )
        found = self._selected.get(kind)
        if found is None:
            if len(self._selected) >= _SELECTIONS:
                self._selected.clear()
            found = self._selected[kind] = self._select(proposal, at.date())
        return found

    def _select(self, proposal: Proposal, day: date) -> Selected:
        about = self._rulebook.about(proposal.method.rail, proposal.method.network)
        rules = tuple(rule for rule in about if rule.in_force_on(day) and binds(rule, proposal))
        forbidding = tuple(rule for rule in rules if rule.kind is not Kind.NOTE)
        return Selected(Rulebook(rules), Rulebook(forbidding), reach_of(rules))


def reach_of(rules: Iterable[CapRule]) -> Reach:
    """How far back these rules look.

    What is older than every window matters only by being the last of its kind, and that is always read. A cap
    without an end to its window needs everything; a payment's attempts are always read whole.
    """
    hours, of_method, of_mandate = 0, False, False
    for rule in rules:
        if KeyPart.PAYMENT in rule.key or rule.kind is not Kind.CAP:
            continue
        reach = rule.window.reach_hours
        hours = max(hours, reach or 0)
        of_method |= reach is None
        of_mandate |= reach is None and KeyPart.MANDATE in rule.key
    return Reach(2 * hours * MICROS_PER_HOUR + 2 * MICROS_PER_DAY, of_method, of_mandate)


def near_question(proposal: Proposal, until: int) -> Question:
    """What to ask to know the counters as of an instant, as far as nearly always is enough."""
    return "counted", {**_values(proposal, until), "most": READ_WHOLE}


def questions(proposal: Proposal) -> tuple[Question, Question]:
    """What to ask to know the counters of a proposal, and where its payment and method stand."""
    counters, values = near_question(proposal, _FOR_EVER)
    return (counters, values), ("standings", values)


def counted(transaction: Transaction, proposal: Proposal, at: datetime, reach: Reach, near: list[Row]) -> Counted:
    """The attempts and holds that the rules can look at, given the nearest ones; reads on where there are more."""
    merchant_id, until = proposal.payment.merchant_id, to_micros(at)
    rows = near + _further(transaction, _values(proposal, _FOR_EVER), until, reach, near)
    rows = _without_repeated(rows, until, reach)
    held = {str(row[1]): _held(merchant_id, row) for row in rows if row[0] == "held"}
    events = {str(row[1]): _event(merchant_id, row) for row in rows if row[0] != "held" and row[11] != Outcome.ERROR}
    return Counted((*events.values(), *(hold.event for hold in held.values())), tuple(held.values()))


def counted_then(
    transaction: Transaction, proposal: Proposal, at: int, attempt_id: str, reach: Reach, near: list[Row]
) -> Tally:
    """The counters as they stood when an attempt was made: those before it, with what was known of them then."""
    merchant_id = proposal.payment.merchant_id
    rows = near + _further(transaction, _values(proposal, at), at, reach, near)
    events = {
        str(row[1]): _as_known(_event(merchant_id, row), int(row[19] or 0), at)
        for row in rows
        if row[0] != "held" and row[11] != Outcome.ERROR
    }
    before = (event for event in events.values() if (event.at, event.attempt_id) < (at, attempt_id))
    return Counters(tuple(sorted(before, key=_order)))


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
            ranged = values | {"since": reach.since(scope, until)}
            asked += [(f"of_{scope}_since", ranged), (f"latest_flavours_of_{scope}", ranged)]
    if "payment" in full:
        asked.append(("all_of_payment", values))
    return [row for rows in transaction.ask(*asked) for row in rows] if asked else []


def _without_repeated(rows: list[Row], until: int, reach: Reach) -> list[Row]:
    """The rows without those that are older than every window and not the last of their flavour."""
    since = {scope: reach.since(scope, until) for scope in ("method", "mandate", "payment", "held")}
    kept: list[Row] = []
    last: dict[tuple[str, Value], Row] = {}
    for row in rows:
        scope, at = str(row[0]), int(row[9] or 0)
        if at >= since[scope] or (scope != "held" and int(row[19] or 0) >= since[scope]):
            kept.append(row)
        elif (scope, row[20]) not in last or at > int(last[scope, row[20]][9] or 0):
            last[scope, row[20]] = row
    return [*kept, *last.values()]


def _event(merchant_id: str, row: Row) -> Event:
    return event_of(merchant_id, *row[1:20])  # type: ignore[arg-type]  # the columns of the query, in its order


def _held(merchant_id: str, row: Row) -> Held:
    # What an attempt has its outcome's instant in, a hold has its end in.
    return Held(str(row[1]), str(row[2]), int(row[19] or 0), _event(merchant_id, (*row[:19], None)))


def _as_known(event: Event, known_at: int, at: int) -> Event:
    return event if known_at <= at else replace(event, outcome=Outcome.UNKNOWN, decline=None, network_code=None)


def _not_after(event: Event, at: int) -> Event:
    return event if event.at <= at else replace(event, at=at, earliest=min(event.earliest, at))
