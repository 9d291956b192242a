"""Computes many kept decisions again in one run, one after the other or by several processes, in bounded memory."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from multiprocessing import get_context

from features.errors import InvalidValueError
from serving.decided_with import Versions
from serving.kept_models import MODELS
from serving.ledger.decisions import KeptDecision, count_between, decisions_between, decisions_called
from serving.ledger.opening import store_at
from serving.ledger.store import Store
from serving.live_experiments import load_experiments
from serving.merchant_rules import merchant_rulebook, use_merchant_codes
from serving.recomputing import Recomputation, Recomputed, recomputed
from serving.service import economics_of, prior_service
from serving.settings import Settings

_A_TASK = 50
_TASKS_AHEAD = 3
_SHORTEST = 8
EVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
"""Between which instants every decision was answered."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which decisions: those answered between two instants, of one payment or merchant where one is named."""

    since: datetime
    until: datetime
    payment_id: str | None = None
    merchant_id: str | None = None

    def wants(self, kept: KeptDecision) -> bool:
        """Whether a decision answered in that time is one of them."""
        headline = kept.headline
        return self.payment_id in {None, headline.payment_id} and self.merchant_id in {None, headline.merchant_id}


@dataclass
class Counts:
    """What a run came to."""

    by_outcome: Counter[Recomputation] = field(default_factory=Counter)

    def add(self, one: Recomputed) -> None:
        """Count one."""
        self.by_outcome[one.outcome] += 1

    @property
    def all_same(self) -> bool:
        """Whether every one was computed again and is the same."""
        return self.by_outcome.total() == self.by_outcome[Recomputation.SAME]

    @property
    def sentence(self) -> str:
        """For people, such as `100,000 of 100,000 the same`."""
        found = self.by_outcome
        if not found:
            return "No decision is kept of that time."
        differ = found[Recomputation.DIFFERS]
        more = f"; {differ:,} differ{'s' if differ == 1 else ''}" if differ else ""
        if missing := found[Recomputation.MISSING]:
            more += f"; {missing:,} could not be computed again, because something is missing or damaged"
        return f"{found[Recomputation.SAME]:,} of {found.total():,} the same{more}"


def chosen(store: Store, asked: Asked) -> Iterator[KeptDecision]:
    """The decisions that are asked for, earliest first, read as they are taken."""
    return filter(asked.wants, decisions_between(store, asked.since, asked.until))


def how_many(store: Store, asked: Asked) -> int:
    """How many decisions `chosen` looks at."""
    return count_between(store, asked.since, asked.until)


def called(store: Store, beginnings: Sequence[str]) -> Iterator[KeptDecision]:
    """The decisions of these ids, of which the first letters suffice.

    Raises:
        InvalidValueError: There is none, or more than one.
    """
    for beginning in beginnings:
        found = decisions_called(store, beginning) if len(beginning) >= _SHORTEST else ()
        if len({one.headline.decision_id for one in found}) != 1:
            expected = "the id of a decision that is kept" if not found else "more letters: several begin so"
            raise InvalidValueError("DECISION", beginning, expected)
        yield found[0]


def replayed(found: Iterable[KeptDecision], settings: Settings, url: str, processes: int) -> Iterator[Recomputed]:
    """Each decision computed again, in the order given.

    Args:
        url: The database of the ledger that they are from.
        processes: How many work at once; each reads what it needs by itself.

    Raises:
        InputError: The ledger cannot be reached.
    """
    if processes == 1:
        with closing(store_at(url)) as store:
            versions = _versions(store, settings)
            yield from (recomputed(one, versions) for one in found)
        return
    # Processes of their own beginning: a copy of this one would share its connections and threads.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _begin, (url, settings))
    with pool:
        working: deque[Future[list[Recomputed]]] = deque()
        tasks = iter(found)
        while True:
            task = list(islice(tasks, _A_TASK))
            if task:
                working.append(pool.submit(_work, task))
            if len(working) > processes * _TASKS_AHEAD or not task:
                if not working:
                    return
                yield from working.popleft().result()


def _versions(store: Store, settings: Settings) -> Versions:
    """What is shipped, and the variants of the experiments that the settings name; no model but those that are kept."""
    use_merchant_codes(settings)
    service = prior_service()
    experiments = load_experiments(
        settings, service.answering.scorer, merchant_rulebook(settings), economics_of(settings)
    )
    return Versions(store, replace(service, experiments=experiments), settings.home / MODELS, settings.model)


_OWN: list[Versions] = []


def _begin(url: str, settings: Settings) -> None:
    _OWN.append(_versions(store_at(url), settings))


def _work(task: Sequence[KeptDecision]) -> list[Recomputed]:
    return [recomputed(one, _OWN[0]) for one in task]
