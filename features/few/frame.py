"""The frame of contexts: matrix and facts for the retries proposed in them, by compiled loops."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.columns import COLUMNS, payday
from features.columns.failure import MONEY, UNSAID
from features.columns.payer import LATEST
from features.compiled import plain
from features.encoders import SLOTS, Encoders
from features.few import kernels
from features.few.counted import LIFTS, SHARES, SILENCES, counted, family_of
from features.few.framed import Fact, Framed
from features.few.gathered import Gatherer
from features.instants import MICROS_PER_DAY
from features.own_paydays import DAYS, LONGEST, RECOVERIES, STRENGTH, likeliest
from features.supposed import Supposed
from features.table import CATEGORIES, Asked
from features.vocabulary import TECHNICAL, Credential, Network

Floats = NDArray[np.float64]


class FewFrame:
    """Frames contexts with the encoders of one model."""

    def __init__(self, encoders: Encoders) -> None:
        self._counted = plain(counted(encoders))
        self._gather = Gatherer(encoders)

    def __call__(self, asked: Sequence[Asked | Supposed]) -> Framed:
        """One row a retry, context by context, as `frame(rows_of_contexts(asked), encoders)` makes them.

        Contexts with and without the customer's history may be asked about together.
        """
        sizes = [len(one.asked) if isinstance(one, Supposed) else len(one[1]) for one in asked]
        rows = sum(sizes)
        matrix, facts = np.empty((rows, len(COLUMNS)), dtype=np.float32), np.empty((rows, len(Fact)))
        if not rows:
            return Framed(matrix, facts)
        some = self._gather([one for one, size in zip(asked, sizes, strict=True) if size])
        payments, contexts, attempts = plain(some.payments), plain(some.contexts), plain(some.attempts)
        past = kernels.Past(*kernels.know(payments, contexts, attempts, RECOVERIES, LONGEST, some.numbers))
        payday, running = _paydays(past.votes)
        kernels.fill(
            matrix, facts, payments, contexts, attempts, plain(some.methods), some.routes, plain(some.proposed),
            plain(some.clocks), plain(some.days), self._counted, plain(past), np.log1p(past.waited_days), payday,
            running, _WORDS, _WEIGHING,
        )  # fmt: skip
        return Framed(matrix, facts)


def _paydays(votes: Floats) -> tuple[Floats, Floats]:
    """(the day on which money seems to come, votes up to each day of the month) of each context."""
    running = np.zeros((len(votes), DAYS + 1))
    if not votes.any():
        return np.full(len(votes), np.nan), running
    np.cumsum(votes, axis=1, out=running[:, 1:])
    # A recovery's votes add up to one but for rounding.
    running[:, -1] = np.rint(running[:, -1])
    return likeliest(votes), running


def _words() -> kernels.Words:
    place = {column.name: i for i, column in enumerate(COLUMNS)}
    kind = [
        kernels.MONEY * (c in MONEY) + kernels.TECHNICAL * (c in TECHNICAL) + kernels.UNSAID * (c in UNSAID)
        for c in CATEGORIES
    ]
    return kernels.Words(
        place=np.array([place[name] for name in kernels.NAMES], dtype=np.int64),
        kind=np.array(kind, dtype=np.int64),
        no_network=list(Network).index(Network.UNKNOWN),
        no_form=list(Credential).index(Credential.UNKNOWN),
        lifts=np.array([[place[n], family_of(a), family_of(b)] for n, (a, b) in LIFTS.items()], dtype=np.int64),
        shares=np.array([[place[n], family_of(a)] for n, a in SHARES.items()], dtype=np.int64),
        silences=np.array([[place[n], family_of(a)] for n, a in SILENCES.items()], dtype=np.int64),
        month_day=family_of("retry_month_day"),
        market=family_of("retry_market"),
        quarter=24 // SLOTS,
    )


_WORDS = plain(_words())
_WEIGHING = plain(
    kernels.Weighing(
        day_doubt=payday.DAY_DOUBT,
        amount_width=payday.AMOUNT_WIDTH,
        offset_width=payday.OFFSET_WIDTH,
        age=float(np.log(2) / (payday.HALF_LIFE_DAYS * MICROS_PER_DAY)),
        strength=payday.STRENGTH,
        attempts=payday.ATTEMPTS,
        retries=payday.RETRIES,
        approvals=LATEST,
        vote=STRENGTH,
    )
)
