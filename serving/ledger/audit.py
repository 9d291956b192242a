"""Holds every attempt of the past against the rules in force at its instant: proof, or the list of breaches."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from features.instants import MICROS_PER_HOUR, from_micros, to_micros
from features.money import Money
from model.caps.engine import Proposal, Verdict, verdicts
from model.caps.rulebook import Rulebook
from model.caps.volumes import Volumes, about_volumes
from serving.ledger.beyond import NO_VOLUMES, fixes_of, volumes_then
from serving.ledger.counting import counted_then, near_question
from serving.ledger.facts import Facts, proposal_of
from serving.ledger.selecting import Selected, Selector
from serving.ledger.store import Store, Transaction, Value

_A_PAGE = 500
_HOURS = 4_096
_LOWEST = -(1 << 62)
# What the volumes of an hour depend on: merchant, hour since 1970, version of the rules.
_Place = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class Breach:
    """An attempt that a rule in force forbade.

    Args:
        advised: Whether Recoup had reserved it; otherwise somebody else made it.
        ours: Whether the rule is a default of ours, not a network's.
    """

    merchant_id: str
    attempt: Facts
    verdict: Verdict
    advised: bool
    ours: bool

    @property
    def at(self) -> datetime:
        """When the attempt was made (UTC)."""
        return from_micros(self.attempt.at)


@dataclass(frozen=True, slots=True)
class Audited:
    """One attempt and every rule that forbade it; none for nearly all."""

    attempt: Facts
    breaches: tuple[Breach, ...]


@dataclass(slots=True)
class Totals:
    """What an audit found.

    Args:
        over: Attempts that some rule forbade; `over_advised` of them reserved by Recoup.
        fees: What they cost by the price lists of the rules, the dearest rule of each attempt, by currency.
    """

    attempts: int = 0
    over: int = 0
    over_advised: int = 0
    breaches: int = 0
    fees: dict[str, int] | None = None

    def add(self, audited: Audited) -> None:
        """Count one attempt."""
        self.attempts += 1
        if not audited.breaches:
            return
        self.over += 1
        self.over_advised += audited.breaches[0].advised
        self.breaches += len(audited.breaches)
        self._add_fee([b.verdict.fee for b in audited.breaches if b.verdict.fee])

    @property
    def cost(self) -> tuple[Money, ...]:
        """The fees by currency."""
        return tuple(Money(amount, currency) for currency, amount in sorted((self.fees or {}).items()))

    def _add_fee(self, fees: Sequence[Money]) -> None:
        self.fees = self.fees or {}
        dearest: dict[str, int] = {}
        for fee in fees:
            dearest[fee.currency] = max(dearest.get(fee.currency, 0), fee.amount_minor)
        for currency, amount in dearest.items():
            self.fees[currency] = self.fees.get(currency, 0) + amount


def audit(
    store: Store,
    rulebook: Rulebook,
    since: datetime,
    until: datetime,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Audited]:
    """Every attempt from `since` to before `until`, method by method, with the rules that forbade it.

    Each is held against the attempts before it and what was known of them at its instant: an outcome that became
    known later counts as pending. Errors never reached an issuer and are left out. Memory does not grow.
    """
    selector = Selector(rulebook)
    ours = frozenset(rule.rule_id for rule in rulebook.rules if rule.ours)
    done = 0
    volumes: dict[_Place, Volumes] = {}
    for merchant_id, page in _pages(store, to_micros(since), to_micros(until)):
        for attempt, found in zip(page, _judged(store, selector, merchant_id, page, volumes), strict=True):
            forbidden = (verdict for verdict in found if not verdict.allowed)
            advised = attempt.reservation_id is not None
            yield Audited(
                attempt, tuple(Breach(merchant_id, attempt, v, advised, v.rule_id in ours) for v in forbidden)
            )
        done += len(page)
        if progress:
            progress(done)


def _pages(store: Store, since: int, until: int) -> Iterator[tuple[str, list[Facts]]]:
    with store.reading() as transaction:
        (merchants,) = transaction.ask(("merchants", {}))
    for (merchant_id,) in merchants:
        place: dict[str, Value] = {"method_id": "", "at": _LOWEST, "attempt_id": ""}
        while True:
            where = place | {"merchant_id": merchant_id, "since": since, "until": until, "most": _A_PAGE}
            with store.reading() as transaction:
                (rows,) = transaction.ask(("audited", where))
            page = [Facts(*row) for row in rows]  # type: ignore[arg-type]  # the columns of the query, in its order
            if not page:
                break
            yield str(merchant_id), page
            place = {"method_id": page[-1].method_id, "at": page[-1].at, "attempt_id": page[-1].attempt_id}


def _judged(
    store: Store, selector: Selector, merchant_id: str, page: Sequence[Facts], volumes: dict[_Place, Volumes]
) -> Iterator[tuple[Verdict, ...]]:
    proposals: list[Proposal] = [proposal_of(merchant_id, attempt) for attempt in page]
    with store.reading() as transaction:
        asked = [near_question(proposal, attempt.at) for proposal, attempt in zip(proposals, page, strict=True)]
        for attempt, proposal, near in zip(page, proposals, transaction.ask(*asked), strict=True):
            at = from_micros(attempt.at)
            selected = selector.selected(proposal, at)
            tally = counted_then(transaction, proposal, attempt.at, attempt.attempt_id, selected.reach, near)
            sent = _sent(transaction, merchant_id, selected, attempt, volumes)
            said = verdicts(selected.rulebook, tally, proposal, at, sent)
            if any(not verdict.allowed for verdict in said):
                fixes = [fix for fix in fixes_of(transaction, proposal) if fix.at <= attempt.at]
                said = verdicts(selected.rulebook, tally, proposal, at, sent, fixes) if fixes else said
            yield said


def _sent(
    transaction: Transaction, merchant_id: str, selected: Selected, attempt: Facts, known: dict[_Place, Volumes]
) -> Volumes:
    """What the merchant had sent before the attempt's hour, for rules that may forbid; kept for the hour's others."""
    rules = about_volumes(selected.prescreen.rules)
    if not rules:
        return NO_VOLUMES
    place = (merchant_id, attempt.at // MICROS_PER_HOUR, selected.rulebook.version)
    if place not in known:
        if len(known) >= _HOURS:
            known.clear()
        known[place] = volumes_then(transaction, merchant_id, rules, attempt.at)
    return known[place]
