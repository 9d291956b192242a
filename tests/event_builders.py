"""What was told to a merchant's own systems, and a ledger that tells, for tests."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from serving.events_out import queue
from serving.events_out.queue import State
from serving.ledger.ledger import Ledger
from serving.ledger.outbox import Outbox
from serving.ledger.store import Store, Transaction, Values

Document = dict[str, Any]  # a JSON document that tests take apart
OUTBOX = Outbox({"acme": ("billing",)})
FINAL = ("recovery.recovered", "recovery.exhausted")


def events_of(ledger: Ledger, payment: str | None = None) -> list[Document]:
    """Every event as it is sent, or those of a payment, in the order of time; each goes to the one target once."""
    queued = [one for state in State for one in queue.listed(ledger.store, state, 10_000)]
    found = [one for one in queued if payment in {None, one.payment_id}]
    assert len({one.event_id for one in found}) == len(found)
    ordered = sorted(found, key=lambda one: (one.created_at, one.type in FINAL))
    return [json.loads(queue.found(ledger.store, one.event_id).body) for one in ordered]


def types_of(ledger: Ledger) -> list[str]:
    return [one["type"] for one in events_of(ledger)]


class CrashError(Exception):
    """The process ended here."""


@dataclass
class CrashingStore:
    """A store whose process ends before a write of a transaction, as often as `crash_before` says when."""

    store: Store
    crash_before: list[int] = field(default_factory=list)

    @contextmanager
    def writing(self, *locks: Any, flushed: bool = True) -> Iterator[Transaction]:
        with self.store.writing(*locks, flushed=flushed) as transaction:
            at = self.crash_before.pop() if self.crash_before else None
            yield _CrashingTransaction(transaction, at)
            if at is not None:
                raise CrashError

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


class _CrashingTransaction:
    def __init__(self, transaction: Transaction, left: int | None) -> None:
        self._transaction, self._left = transaction, left

    def put(self, name: str, values: Values) -> None:
        self._count()
        self._transaction.put(name, values)

    def change(self, name: str, values: Values) -> int:
        self._count()
        return self._transaction.change(name, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transaction, name)

    def _count(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise CrashError
