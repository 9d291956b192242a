"""Which payments of a log can be judged: those it tells of from the first failure to the end of the horizon.

A payment cut off at its beginning would enter as an episode of its later retries alone; one cut off at its end would
count as lost. The value of a first retry needs its own outcome only, so that payments still open are kept for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from experiments.history_contexts import LoggedRetry


@dataclass(frozen=True, slots=True)
class Whole:
    """Whole payments of a log.

    Args:
        retries: Theirs, within the horizon, in the order given.
        begun: Those of every payment that first failed in the time judged, still open or not.
        payments: How many they are of.
        too_early: Payments left out because their first failure was known before the time judged.
        given_up: Of `payments`, those that the log gave up unpaid before their horizon.
        still_open: Payments left out because the log ends before their horizon does.
    """

    retries: Sequence[LoggedRetry]
    begun: Sequence[LoggedRetry]
    payments: int
    too_early: int
    still_open: int
    given_up: int

    def __str__(self) -> str:
        return (
            f"{self.payments:,} payments are seen from their first failure to their horizon. Left out are "
            f"{self.too_early:,} that first failed before the time judged and, from whole episodes, "
            f"{self.still_open:,} whose horizon lies beyond the log. The log gave up "
            f"{self.given_up / max(self.payments, 1):.1%} of those seen whole before their horizon; what a policy "
            "would have gone on to do there is not covered."
        )


def whole_payments(retries: Sequence[LoggedRetry], since: datetime | None, last: datetime) -> Whole:
    """The payments that first failed at or after an instant and whose horizon was over by another.

    Args:
        retries: By customer, payment and time.
        since: None for all.
        last: The last instant that the log tells of.
    """
    kept: list[LoggedRetry] = []
    begun: list[LoggedRetry] = []
    payments = too_early = still_open = 0
    for _, group in groupby(retries, key=_payment):
        own = list(group)
        payment, first = own[0].context.payment, own[0].context.own_attempts[0]
        if since is not None and first.known_at < since:
            too_early += 1
            continue
        begun += own
        if payment.recover_by > last:
            still_open += 1
        elif inside := [one for one in own if one.attempt.at <= payment.recover_by]:
            payments += 1
            kept += inside
    return Whole(kept, begun, payments, too_early, still_open, sum(one.gave_up for one in kept))


def _payment(one: LoggedRetry) -> tuple[str, str]:
    return one.context.payment.merchant_id, one.context.payment.payment_id
