"""What befell payers, as it was told, and which metrics that lets be measured.

With nothing told of them, complaints or ended subscriptions would read as if there had been none in any variant. So a
metric is measured once anything of its kind was told of anybody in the experiment, and not before.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from experiments.metrics.cohort import Event
from features.money import Money


@dataclass(frozen=True, slots=True)
class PayerEvent:
    """One thing that befell a payer.

    Args:
        event_id: The source's own id; told of several payments of one unit it happened once.
        amount: Of what was paid; None for all else.
        given_back: Whether the amount went back to the payer.
    """

    event_id: str
    kind: Event
    at: datetime
    amount: Money | None = None
    given_back: bool = False


_LEAVING = frozenset({Event.ENDED_UNPAID, Event.ENDED_BY_CHOICE})
TOLD_BY: Mapping[str, frozenset[Event]] = {
    "involuntary_churn": frozenset({Event.ENDED_UNPAID}),
    "complaints": frozenset({Event.COMPLAINT}),
    "unsubscribes": frozenset({Event.UNSUBSCRIBE}),
    "chargebacks": frozenset({Event.CHARGEBACK}),
    **{f"retention_{days}": _LEAVING for days in (30, 60, 90)},
    **{f"value_{days}": frozenset({Event.PAID}) for days in (30, 60, 90)},
}
"""What has to be told for a metric to be measured, any of it; those not named need nothing beyond payments."""
CAP_USE = "cap_use"
BEYOND_PAYMENTS = frozenset({*TOLD_BY, CAP_USE})
"""Metrics that attempts and payments alone do not measure."""


def unmeasured(told: Iterable[Event], *, limits_known: bool) -> AbstractSet[str]:
    """The metrics of which nothing was told.

    Args:
        told: What kinds of events were told of anybody in the experiment.
        limits_known: Whether every exposure says how many attempts were allowed.
    """
    kinds = frozenset(told)
    silent = {name for name, needed in TOLD_BY.items() if kinds.isdisjoint(needed)}
    return frozenset(silent if limits_known else silent | {CAP_USE})
