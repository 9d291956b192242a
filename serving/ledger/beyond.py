"""What rules look at beyond a proposal's own counters: what the merchant sends altogether, and what was mended."""

from collections.abc import Iterable, Iterator, Sequence

from features.instants import MICROS_PER_HOUR, to_micros
from features.vocabulary import Network, Outcome
from model.caps.fixes import Fix
from model.caps.proposal import Proposal
from model.caps.rule import CapRule
from model.caps.tally import Event
from model.caps.verdict import Verdict
from model.caps.volumes import Alike, Volumes, about_volumes, first_hour, volumes_of_alike
from serving.ledger.events import mended_from
from serving.ledger.facts import event_of
from serving.ledger.situation import Situation
from serving.ledger.store import Question, Row, Transaction, Value

_FOR_EVER = 1 << 40
NO_VOLUMES = Volumes()


def weighed(transaction: Transaction, found: Situation) -> tuple[Verdict, ...]:
    """What every rule in force says, volumes, fixes and notes included."""
    return found.verdicts(volumes_around(transaction, found), fixes_of(transaction, found.proposal))


def forbidding(transaction: Transaction, found: Situation) -> tuple[Verdict, ...]:
    """What forbids the attempt; none where it is allowed.

    What the merchant sends altogether is read only where that may forbid something, and what was mended only where
    that may lift something, so that an attempt that nothing speaks against costs no more than its counters.
    """
    volumes = binding_volumes(transaction, found)
    said = found.forbidden(volumes)
    if not said:
        return said
    liftable = {rule.rule_id for rule in found.selected.prescreen.rules if rule.lifts}
    if liftable.isdisjoint(verdict.rule_id for verdict in said):
        return said
    return found.forbidden(volumes, fixes_of(transaction, found.proposal))


def volumes_around(transaction: Transaction, found: Situation) -> Volumes:
    """What the merchant has sent by every rule about volumes that binds the proposal."""
    return _volumes(transaction, found.proposal, found.selected.rulebook.rules, to_micros(found.at))


def binding_volumes(transaction: Transaction, found: Situation) -> Volumes:
    """The same by those rules only that may forbid; nothing is read where there is none."""
    return _volumes(transaction, found.proposal, found.selected.prescreen.rules, to_micros(found.at))


def volumes_then(transaction: Transaction, merchant_id: str, rules: Iterable[CapRule], at: int) -> Volumes:
    """The volumes as they stood when the hour of an instant began, with the outcomes that were known then.

    Within its own hour nobody can tell from the table what came before an attempt, so that nothing of it counts.
    """
    return volumes_in(transaction, merchant_id, rules, at, before=at // MICROS_PER_HOUR)


def volumes_in(
    transaction: Transaction, merchant_id: str, rules: Iterable[CapRule], at: int, before: int = _FOR_EVER
) -> Volumes:
    """What a merchant has sent by the rules about volumes among these.

    Args:
        at: The instant as of which windows lie (microseconds since 1970).
        before: The first hour (since 1970) that counts no more, and before which outcomes had to be known.
    """
    about = about_volumes(rules)
    if not about:
        return NO_VOLUMES
    wanted = {(network, first_hour(rule, at)) for rule in about for network in _networks(rule)}
    asked = sorted(wanted, key=lambda one: (one[0], one[1] or -_FOR_EVER))
    rows = transaction.ask(*(("volume_since", _values(merchant_id, *one, before)) for one in asked))
    known = {one: list(_alike(merchant_id, one[0], found)) for one, found in zip(asked, rows, strict=True)}

    def since(rule: CapRule) -> Iterator[Alike]:
        for network in _networks(rule):
            yield from known[network, first_hour(rule, at)]

    return volumes_of_alike(about, since, at)


def fixes_of(transaction: Transaction, *proposals: Proposal) -> tuple[Fix, ...]:
    """What was mended about the method of each proposal."""
    asked = [fixes_question(one) for one in proposals]
    return fixes_in(proposals, transaction.ask(*asked))


def fixes_question(proposal: Proposal) -> Question:
    """What to ask to know what was mended about a proposal's method."""
    whose, method_id = proposal.payment.merchant_id, proposal.method.method_id
    return "fixes_of_method", {"merchant_id": whose, "method_id": method_id}


def fixes_in(proposals: Sequence[Proposal], found: Sequence[Sequence[Row]]) -> tuple[Fix, ...]:
    """The rows of `fixes_question` for each proposal."""
    return tuple(
        [
            _fix(proposal.method.method_id, int(said_at or 0), str(body))
            for proposal, rows in zip(proposals, found, strict=True)
            for said_at, body in rows
        ]
    )


def _volumes(transaction: Transaction, proposal: Proposal, rules: Iterable[CapRule], at: int) -> Volumes:
    return volumes_in(transaction, proposal.payment.merchant_id, rules, at)


def _networks(rule: CapRule) -> tuple[Network, ...]:
    return rule.networks or tuple(network for network in Network if network not in rule.not_networks)


def _values(merchant_id: str, network: Network, since: int | None, before: int) -> dict[str, Value]:
    first = -_FOR_EVER if since is None else since
    return {"merchant_id": merchant_id, "network": network.value, "since": first, "before": before}


def _alike(merchant_id: str, network: Network, rows: Iterable[Row]) -> Iterator[Alike]:
    for processor, outcome, code, subcode, advice_code, category, retryability, known, attempts in rows:
        decline = (code, subcode, advice_code, category, retryability) if known else (None,) * 5
        told = str(outcome) if known else Outcome.UNKNOWN.value
        event = _event(merchant_id, network, str(processor), told, *(str(part or "") or None for part in decline))
        yield Alike(network, event, int(attempts or 0))


def _event(
    merchant_id: str,
    network: Network,
    processor: str,
    outcome: str,
    code: str | None,
    subcode: str | None,
    advice_code: str | None,
    category: str | None,
    retryability: str | None,
) -> Event:
    """An attempt of which only the sort is known; no rule about volumes looks at the rest."""
    return event_of(
        *(merchant_id, "", "", "", None, processor, 0, "USD", "unknown", 0, "instant", outcome, network.value),
        *(code, subcode, advice_code, category, retryability, None),
    )


def _fix(method_id: str, said_at: int, body: str) -> Fix:
    mended = mended_from(body)
    return Fix(method_id, mended.kind, said_at, mended.payment_id)
