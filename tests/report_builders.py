"""Reports of experiments that are computed in the process of the test, at once or in a queue that the test runs."""

from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from model.economics import Economics
from serving.experiment_reporting import facts_for
from serving.kept_reports import FOLDER, Reports
from serving.logs import service_log
from serving.settings import Settings
from serving.wanted_reports import Wanted


def computed_here(wanted: Wanted) -> bytes:
    """As the process of a report does it."""
    return orjson.dumps(facts_for(wanted, Economics.default()))


def reports_at_once(settings: Settings) -> Reports:
    """Reports that are there when they are asked for."""
    return reports_with(settings, lambda work: work())


@dataclass
class Queue:
    """Work that waits until the test runs it."""

    waiting: list[Callable[[], None]] = field(default_factory=list)

    def __call__(self, work: Callable[[], None]) -> None:
        self.waiting.append(work)

    def run(self) -> int:
        """All that waits; how much that was."""
        due, self.waiting = self.waiting, []
        for work in due:
            work()
        return len(due)


def reports_with(
    settings: Settings,
    run: Callable[[Callable[[], None]], object],
    compute: Callable[[Wanted], bytes] = computed_here,
    clock: Callable[[], float] = lambda: 0.0,
) -> Reports:
    return Reports(settings.home / FOLDER, compute, settings.report_seconds, service_log("json"), run, clock=clock)
