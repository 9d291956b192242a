"""What a challenger would have done beside what was answered: how often the same, and whose chances were right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.resamples import Estimate, Floats, Resamples, mean_interval
from serving.ledger.shadows import Compared

MIN_OUTCOMES = 30
"""Below so many known outcomes the losses are told as not known yet."""

_RESAMPLES = 500
_KNOWN = ("approved", "declined", "error")
_EDGE = 1e-9  # a chance of 0 or 1 that was wrong would be an infinite loss


@dataclass(frozen=True, slots=True)
class ShadowReport:
    """A challenger beside one champion. Rates are shares of decisions; every interval is 95 %, by payment.

    Args:
        same_kind: Both a retry, or both a stop.
        same_method, same_processor, same_day: Of the decisions where both advise a retry; None where there is none.
        same_day: On the issuer's clock.
        difference: Challenger's chance less the champion's, of the retry that was advised; None without any.
        outcomes: Attempts that were made in the advised slot, whose outcome is known and whose method, processor and
            day the challenger advised too. The champion's own picks are those where its chance is too high, and the
            challenger's is not, which would count for any challenger.
        others: Those with an outcome where the challenger advised another retry; not judged.
        log_loss, challenger_log_loss: On those, in nats; None below 30 of them.
        gain: How much less the challenger's is, paired.
    """

    champion: str
    challenger: str
    decisions: int
    same_kind: Estimate
    same_method: Estimate | None
    same_processor: Estimate | None
    same_day: Estimate | None
    difference: Estimate | None
    outcomes: int
    others: int
    log_loss: Estimate | None
    challenger_log_loss: Estimate | None
    gain: Estimate | None


def shadow_reports(found: Sequence[Compared], seed: int) -> tuple[ShadowReport, ...]:
    """One for each pair of champion and challenger, in the order in which they were first met."""
    pairs = dict.fromkeys((one.champion, one.challenger) for one in found)
    return tuple(_report([one for one in found if (one.champion, one.challenger) == pair], seed) for pair in pairs)


def _report(found: Sequence[Compared], seed: int) -> ShadowReport:
    both = [one for one in found if one.method_id is not None and one.challenger_method_id is not None]
    known = [one for one in found if one.outcome in _KNOWN and _chances(one) is not None]
    judged = [one for one in known if one.is_same]
    enough = judged if len(judged) >= MIN_OUTCOMES else []
    approved = np.array([float(one.outcome == "approved") for one in enough])
    ours, theirs = (_losses(approved, enough, column) for column in (0, 1))
    return ShadowReport(
        champion=found[0].champion,
        challenger=found[0].challenger,
        decisions=len(found),
        same_kind=_mean(
            [float((one.method_id is None) == (one.challenger_method_id is None)) for one in found], found, seed
        ),
        same_method=_maybe([float(one.method_id == one.challenger_method_id) for one in both], both, seed),
        same_processor=_maybe([float(one.processor == one.challenger_processor) for one in both], both, seed),
        same_day=_maybe([float(one.day == one.challenger_day) for one in both], both, seed),
        difference=_maybe(
            [pair[1] - pair[0] for one in found if (pair := _chances(one))],
            [one for one in found if _chances(one)],
            seed,
        ),
        outcomes=len(judged),
        others=len(known) - len(judged),
        log_loss=_maybe(ours, enough, seed),
        challenger_log_loss=_maybe(theirs, enough, seed),
        gain=_maybe([a - b for a, b in zip(ours, theirs, strict=True)], enough, seed),
    )


def _chances(one: Compared) -> tuple[float, float] | None:
    if one.chance is None or one.challenger_chance is None:
        return None
    return one.chance, one.challenger_chance


def _losses(approved: Floats, judged: Sequence[Compared], column: int) -> list[float]:
    chance = np.array([(_chances(one) or (0.5, 0.5))[column] for one in judged])
    inside = np.clip(chance, _EDGE, 1.0 - _EDGE)
    return [float(loss) for loss in -np.log(np.where(approved == 1.0, inside, 1.0 - inside))]


def _maybe(values: Sequence[float], of: Sequence[Compared], seed: int) -> Estimate | None:
    return _mean(values, of, seed) if values else None


def _mean(values: Sequence[float], of: Sequence[Compared], seed: int) -> Estimate:
    """The mean with its interval; decisions about one payment are drawn together."""
    names = [f"{one.merchant_id}\0{one.payment_id}" for one in of]
    _, payment = np.unique(names, return_inverse=True)
    return mean_interval(np.array(values), Resamples.draw(payment.astype(np.int64), _RESAMPLES, seed))
