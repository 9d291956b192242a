"""What would count in a sandbox counts nowhere: the metrics are those of live recoveries."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from features.decline import Decline
from model.decision import Decision
from serving.ledger.reservations import Reason, State
from serving.ledger.store import Failure
from serving.metrics import Metrics


class Uncounted(Metrics):
    """Takes every count and keeps none."""

    @contextmanager
    def request(self) -> Iterator[None]:
        """As without counting."""
        yield

    @contextmanager
    def ledger_work(self) -> Iterator[None]:
        """As without counting."""
        yield

    def answered(self, method: str, route: str, status: int, seconds: float, *, replayed: bool = False) -> None:
        """Nothing."""

    def decided(self, decision: Decision, seconds: float) -> None:
        """Nothing."""

    def held(self) -> None:
        """Nothing."""

    def not_held(self, reasons: tuple[Reason, ...]) -> None:
        """Nothing."""

    def checked(self, reasons: tuple[Reason, ...]) -> None:
        """Nothing."""

    def hold_ended(self, state: State, holds: int = 1) -> None:
        """Nothing."""

    def worker_replaced(self) -> None:
        """Nothing."""

    def delivered(self, source: str, result: str) -> None:
        """Nothing."""

    def declined(self, processor: str, decline: Decline | None, told_by: str) -> None:
        """Nothing."""

    def unknown_code(self, processor: str, told_by: str) -> None:
        """Nothing."""

    def ledger_failed(self, failure: Failure) -> None:
        """Nothing."""

    def answers_with(
        self,
        policy_source: str,
        model: str,
        registered_version: str | None,
        now: datetime,
        prepared_seconds: float = 0.0,
    ) -> None:
        """Nothing."""

    def follows(self, *aliases: str) -> None:
        """Nothing."""

    def model_refused(self, alias: str) -> None:
        """Nothing."""

    def registry_away(self, *, away: bool) -> None:
        """Nothing."""

    def shadowed(self, result: str, difference: float | None = None) -> None:
        """Nothing."""
