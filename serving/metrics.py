"""What the service counts of itself, for Prometheus; docs/operation.md lists every name and label.

No label holds anything of a payer or a merchant, and each takes few values: see decision 0151.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from features.decline import Decline
from features.declines.unknown import is_unknown
from model.decision import Decision, StopReason
from model.step_down import Distrust
from serving.few import Few
from serving.ledger.reservations import Reason, State
from serving.ledger.store import Failure
from serving.metrics_folder import MULTIPROCESS, lives, make_room
from serving.webhooks.signatures import SOURCES

MOST_PROCESSORS = 50
_KINDS = ("counter", "histogram", "gauge_livesum", "gauge_livemax")
_IN_MEMORY = "/dev/shm"  # noqa: S108 - a folder of our own is made in it, and only on Linux are there shared files
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER = "other"
_TOO_MANY = 429
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_LEDGER_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 10.0)
_DIFFERENCES = (-0.5, -0.2, -0.1, -0.05, -0.02, 0.0, 0.02, 0.05, 0.1, 0.2, 0.5)
_HOW_HOLDS_END = {State.SPENT: "settled", State.RELEASED: "released", State.EXPIRED: "expired"}
_MODEL = ("policy_source", "model", "registered_version")


class Metrics:
    """Counts of one process; where several workers share a folder, a look at any of them shows all of them."""

    def __init__(self) -> None:
        _count_where_there_is_room()
        own = self._registry = CollectorRegistry()
        self._processors = Few(MOST_PROCESSORS)
        self._answering: tuple[str, str, str] | None = None
        self._requests = Counter(
            "recoup_requests", "Requests by route template and status.", ("method", "route", "status"), registry=own
        )
        self._request_seconds = Histogram(
            "recoup_request_duration_seconds", "Time to answer.", ("route",), registry=own, buckets=_SECONDS
        )
        self._in_progress = Gauge(
            "recoup_requests_in_progress", "Requests not answered yet.", registry=own, multiprocess_mode="livesum"
        )
        self._rate_limited = Counter("recoup_rate_limited", "Requests of keys that ask too often.", registry=own)
        self._replays = Counter(
            "recoup_idempotent_replays",
            "Requests answered from what was kept under their key.",
            registry=own,
        )
        self._decisions = Counter(
            "recoup_decisions",
            "Decisions: what to do, why not, and who says so.",
            ("action", "reason", "policy_source", "model"),
            registry=own,
        )
        self._decision_seconds = Histogram(
            "recoup_decision_duration_seconds",
            "Time to decide, with what the ledger knows and with the hold.",
            ("policy_source",),
            registry=own,
            buckets=_SECONDS,
        )
        self._reservations = Counter(
            "recoup_reservations", "Holds asked for with a decision.", ("result", "reason"), registry=own
        )
        self._checks = Counter(
            "recoup_checks", "Checks just before charging: go, or no-go and why.", ("result", "reason"), registry=own
        )
        self._holds_ended = Counter(
            "recoup_holds_ended", "Holds that ended: settled, released, or expired unused.", ("how",), registry=own
        )
        self._workers_replaced = Counter(
            "recoup_workers_replaced", "Workers that ended by themselves and were replaced.", registry=own
        )
        self._deliveries = Counter(
            "recoup_webhook_deliveries", "Webhooks by what became of them.", ("source", "result"), registry=own
        )
        self._unknown_codes = Counter(
            "recoup_unknown_decline_codes",
            "Declines with a code that stands in no table.",
            ("processor", "told_by"),
            registry=own,
        )
        self._ledger_seconds = Histogram(
            "recoup_ledger_duration_seconds",
            "Time of one piece of work with the ledger, waiting for a connection included.",
            registry=own,
            buckets=_LEDGER_SECONDS,
        )
        self._ledger_failures = Counter(
            "recoup_ledger_failures", "Work that the ledger did not do, by why.", ("failure",), registry=own
        )
        self._ledger_in_use = Gauge(
            "recoup_ledger_in_use", "Pieces of work at the ledger now.", registry=own, multiprocess_mode="livesum"
        )
        self._model_workers = Gauge(
            "recoup_model_workers",
            "Workers that answer with this model; 0 for one that answered before.",
            _MODEL,
            registry=own,
            multiprocess_mode="livesum",
        )
        self._model_since = Gauge(
            "recoup_model_since_timestamp_seconds",
            "When the last of the workers took this model.",
            _MODEL,
            registry=own,
            multiprocess_mode="livemax",
        )

        self._model_prepared = Gauge(
            "recoup_model_prepared_seconds",
            "How long the slowest worker took to make this model ready, off the path of requests.",
            _MODEL,
            registry=own,
            multiprocess_mode="livemax",
        )
        self._models_refused = Counter(
            "recoup_models_refused",
            "Registered versions that were not taken, tried again ones too.",
            ("alias",),
            registry=own,
        )
        self._registry_away = Gauge(
            "recoup_registry_away",
            "Workers that cannot ask the registry now.",
            registry=own,
            multiprocess_mode="livesum",
        )
        self._stepped_down = Counter(
            "recoup_stepped_down",
            "Policies that should have answered and did not.",
            ("policy_source", "why"),
            registry=own,
        )
        self._shadowed = Counter(
            "recoup_shadow_decisions",
            "Decisions put to a challenger: whether it says the same, or what became of them.",
            ("result",),
            registry=own,
        )
        self._shadow_difference = Histogram(
            "recoup_shadow_chance_difference",
            "Challenger's chance less the champion's, of the retry that was advised.",
            registry=own,
            buckets=_DIFFERENCES,
        )
        self._begin_at_nothing()

    def _begin_at_nothing(self) -> None:
        """Have the series that alerts look at from the start: Prometheus sees no increase in one that begins at 1."""
        for failure in Failure:
            self._ledger_failures.labels(failure.value)
        for how in _HOW_HOLDS_END.values():
            self._holds_ended.labels(how)
        for source in SOURCES:
            for result in ("failed", "not-signed"):
                self._deliveries.labels(source, result)
        for policy_source in ("model", "prior"):
            for why in Distrust:
                self._stepped_down.labels(policy_source, why)
        for method, route in (("POST", "/v1/decisions"), ("GET", "/ready")):
            for status in (500, 503):
                self._requests.labels(method, route, status)

    @contextmanager
    def request(self) -> Iterator[None]:
        """A request is in progress while the block runs."""
        self._in_progress.inc()
        try:
            yield
        finally:
            self._in_progress.dec()

    def answered(self, method: str, route: str, status: int, seconds: float, *, replayed: bool = False) -> None:
        """A request was answered; `route` is the template, never the path as it was sent."""
        self._requests.labels(method if method in METHODS else _OTHER, route, status).inc()
        self._request_seconds.labels(route).observe(seconds)
        if status == _TOO_MANY:
            self._rate_limited.inc()
        if replayed:
            self._replays.inc()

    def decided(self, decision: Decision, seconds: float) -> None:
        """A decision was made."""
        stop = decision.stop
        action = "retry" if stop is None else "hold" if stop.reason == StopReason.ON_HOLD else "stop"
        reason = "" if stop is None else str(stop.reason)
        self._decisions.labels(action, reason, decision.policy_source, decision.versions.model).inc()
        self._decision_seconds.labels(decision.policy_source).observe(seconds)
        for step in decision.stepped_down:
            self._stepped_down.labels(step.policy_source, step.why).inc()

    def held(self) -> None:
        """A place was held for a decision."""
        self._reservations.labels("granted", "").inc()

    def not_held(self, reasons: tuple[Reason, ...]) -> None:
        """A place was refused; counted by the first of the reasons."""
        self._reservations.labels("refused", _first(reasons)).inc()

    def checked(self, reasons: tuple[Reason, ...]) -> None:
        """A reserved attempt was checked; no reasons mean go, else the first of them counts."""
        self._checks.labels("no_go" if reasons else "go", _first(reasons)).inc()

    def hold_ended(self, state: State, holds: int = 1) -> None:
        """So many holds ended in this state."""
        self._holds_ended.labels(_HOW_HOLDS_END[state]).inc(holds)

    def worker_replaced(self) -> None:
        """This process is in the place of one that ended by itself."""
        self._workers_replaced.inc()

    def delivered(self, source: str, result: str) -> None:
        """A webhook was delivered; `source` is one that is known, or `other`."""
        self._deliveries.labels(source, result).inc()

    def declined(self, processor: str, decline: Decline | None, told_by: str) -> None:
        """A decline was told; it counts where no table knows its code."""
        if is_unknown(decline):
            self.unknown_code(processor, told_by)

    def unknown_code(self, processor: str, told_by: str) -> None:
        """A code that no table knows came from a processor."""
        self._unknown_codes.labels(self._processors.name(processor), told_by).inc()

    @contextmanager
    def ledger_work(self) -> Iterator[None]:
        """The ledger is at work while the block runs."""
        began = perf_counter()
        self._ledger_in_use.inc()
        try:
            yield
        finally:
            self._ledger_in_use.dec()
            self._ledger_seconds.observe(perf_counter() - began)

    def ledger_failed(self, failure: Failure) -> None:
        """The ledger did not do what was asked."""
        self._ledger_failures.labels(failure.value).inc()

    def answers_with(
        self,
        policy_source: str,
        model: str,
        registered_version: str | None,
        now: datetime,
        prepared_seconds: float = 0.0,
    ) -> None:
        """From now on this process answers with this model, or with the prior."""
        labels = (policy_source, model, registered_version or "")
        if self._answering not in {None, labels}:
            self._model_workers.labels(*(self._answering or ())).set(0)
        self._answering = labels
        self._model_workers.labels(*labels).set(1)
        self._model_since.labels(*labels).set(now.timestamp())
        self._model_prepared.labels(*labels).set(prepared_seconds)

    def follows(self, *aliases: str) -> None:
        """Versions by these aliases may be refused from now on."""
        for alias in aliases:
            self._models_refused.labels(alias)

    def model_refused(self, alias: str) -> None:
        """A version that the alias names was not taken."""
        self._models_refused.labels(alias).inc()

    def registry_away(self, *, away: bool) -> None:
        """Whether this process can ask the registry."""
        self._registry_away.set(1 if away else 0)

    def shadowed(self, result: str, difference: float | None = None) -> None:
        """A decision was put to the challenger.

        Args:
            result: `same`, `different`, `failed` or `dropped`.
            difference: Of the chances of the retry that was advised.
        """
        self._shadowed.labels(result).inc()
        if difference is not None:
            self._shadow_difference.observe(difference)

    def text(self) -> bytes:
        """All of it as Prometheus reads it."""
        return generate_latest(self._together())

    def _together(self) -> CollectorRegistry:
        folder = os.environ.get(MULTIPROCESS)
        if folder is None:
            return self._registry
        _forget_ended(Path(folder))
        together = CollectorRegistry()
        MultiProcessCollector(together, folder)  # type: ignore[no-untyped-call]  # the library leaves it untyped
        return together


def _count_where_there_is_room() -> None:
    """Where there is no room for what is shared with other workers, count in memory, for this process alone."""
    folder = os.environ.get(MULTIPROCESS)
    if folder is not None and not make_room(Path(folder), _KINDS):
        own = os.environ[MULTIPROCESS] = tempfile.mkdtemp(prefix="recoup-metrics-", dir=_IN_MEMORY)
        atexit.register(shutil.rmtree, own, ignore_errors=True)


def _first(reasons: tuple[Reason, ...]) -> str:
    return str(reasons[0].code) if reasons else ""


def _forget_ended(folder: Path) -> None:
    """Take away the live figures of workers that are gone; what they have counted stays."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if not lives(pid):
            with suppress(FileNotFoundError):  # another worker was faster
                mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]  # likewise
