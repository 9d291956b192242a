"""One rehearsal from a draft to a verdict: who plays, what the service did, what the report says, what is true."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

from experiments.definition import Definition
from experiments.potential_outcomes import Entrant, Truth, entrants, truth_of
from experiments.report import Report, report_of
from experiments.world import World
from features.context import Context
from features.errors import InputError
from serving.client.client import Recoup
from serving.definitions import Folder
from serving.experiment_outcomes import observed, outcomes
from serving.ledger.migrate import require_current
from serving.ledger.opening import store_at
from serving.rehearsal.in_process import Outcomes, potential_outcomes_apart
from serving.rehearsal.intake import intake
from serving.rehearsal.numbered import Numbered
from serving.rehearsal.playing import Counts, Play, Progress, Recovery
from serving.rehearsal.staging import started
from serving.sandbox.reading import sandbox_ledger
from serving.service import economics_of
from serving.settings import Settings


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A started experiment and the failed payments of a world that are played in it.

    Args:
        settings: Of the service that answers; see `staging.stage_settings`.
        contexts: Every payment that is played; some may take no part in the experiment.
    """

    world: World
    settings: Settings
    definition: Definition
    contexts: tuple[Context, ...]
    taking_part: tuple[Entrant, ...]

    @property
    def merchant_id(self) -> str:
        """Whose payments they are."""
        return self.contexts[0].payment.merchant_id

    @property
    def ends_at(self) -> datetime:
        """A day after the last window is over."""
        return max(c.as_of for c in self.contexts) + timedelta(days=self.definition.window_days + 1)

    def played(self, recoup: Recoup, progress: Progress) -> Counts:
        """Play all of it through a service, in the sandbox of the client's key.

        Raises:
            InputError: The service refused something, or could not be reached.
        """
        recoveries = [Recovery(context) for context in self.contexts]
        return Play(recoup, Numbered(self.world), recoveries).run(self.ends_at, progress)

    def report(self) -> Report:
        """The report on the sandbox's ledger, by the sandbox's clock.

        Raises:
            InputError: The ledger cannot be read.
        """
        with closing(store_at(self.settings.database)) as live:
            require_current(live)
            with sandbox_ledger(self.settings, live, self.merchant_id) as (store, now):
                told = observed(store, self.definition, now)
                return report_of(self.definition, told, economics_of(self.settings), now)

    def truth(self, found: Outcomes) -> Truth:
        """What is true of the experiment, given what becomes of every payment under every variant."""
        return truth_of(self.definition, self.taking_part, found, economics_of(self.settings))

    def alike(self, found: Outcomes) -> int:
        """How many payments went through the service as they went in process under the same variant, to the second.

        Raises:
            InputError: The ledger cannot be read.
        """
        place = {one.context.payment.payment_id: i for i, one in enumerate(self.taking_part)}
        with (
            closing(store_at(self.settings.database)) as live,
            sandbox_ledger(self.settings, live, self.merchant_id) as (store, now),
        ):
            exposed = list(outcomes(store, self.definition, now))
        return sum(
            found[one.exposure.assignment.variant][place[one.exposure.payment_id]] == one.outcome
            for one in exposed
            if one.exposure.payment_id in place
        )


def rehearsal(
    world: World, folder: Folder, key: str, settings: Settings, *, since: datetime | None, most: int | None
) -> Rehearsal:
    """A draft started in a world, and who takes part in it.

    Args:
        since: The start; when absent, the latest first of a month that leaves the definition's least days.
        most: At most so many payments are played, the first to fail.

    Raises:
        InvalidValueError: There is no such experiment, or it is no draft.
        InputError: The definition has a fault, or none of the payments takes part.
    """
    draft = folder.of(key)
    merchants = draft.target.merchants
    merchant_id = merchants[0] if merchants else None
    start, contexts = intake(world, merchant_id, since=since, least_days=draft.min_run_days, most=most)
    definition = started(folder, key, start, settings)
    taking_part = entrants(definition, contexts)
    if not taking_part:
        raise InputError(f"none of the {len(contexts):,} payments takes part; look at target, namespace and coverage")
    return Rehearsal(world, settings, definition, contexts, taking_part)


@contextmanager
def beside(made: Rehearsal) -> Iterator[Future[Outcomes]]:
    """Play every payment under every variant in a process of its own, while the block runs."""
    arguments: tuple[World, Definition, Sequence[Entrant], Settings] = (
        made.world,
        made.definition,
        made.taking_part,
        made.settings,
    )
    # A process of its own beginning: a copy of this one would share its connections and threads.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        future = pool.submit(potential_outcomes_apart, *arguments)
        try:
            yield future
        finally:
            future.cancel()


def files_of(out: Path) -> tuple[Path, Path, Path]:
    """Where the report's facts, its page and the truth go."""
    return out / "report.json", out / "report.html", out / "truth.json"
