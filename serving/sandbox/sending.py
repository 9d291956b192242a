"""Sends the events of one sandbox, beside its requests: one task at a time, begun by what is written."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from serving.errors import RequestError
from serving.events_out.delivering import Delivering
from serving.ledger.recoveries import lapse
from serving.ledger_access import LedgerAccess

MOST_SENDING = 16
"""Sandboxes whose events are sent at the same time; those of others wait."""

_MOST_RECOVERIES = 200


class Sending:
    """What is sent of a sandbox.

    Args:
        time: Gives the time of the sandbox, by which recoveries end.
        few: Shared by all sandboxes, so that few of them are at it at once.
        tasks: Where every task is kept until it is over.
    """

    def __init__(
        self,
        access: LedgerAccess,
        delivering: Delivering,
        time: Callable[[], datetime],
        log: FilteringBoundLogger,
        few: asyncio.Semaphore,
        tasks: set[asyncio.Task[None]],
    ) -> None:
        self._access, self._delivering, self._time, self._log = access, delivering, time, log
        self._few, self._tasks = few, tasks
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def soon(self) -> None:
        """Send what is due; a task that is at it already looks once more."""
        self._wanted.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._send())
            self._tasks.add(self._task)
            self._task.add_done_callback(self._tasks.discard)

    async def _send(self) -> None:
        async with self._few:
            while self._wanted.is_set():
                await self._look()
                try:
                    await self._access.ask(
                        lambda ledger: lapse(ledger.store, ledger.outbox, self._time(), _MOST_RECOVERIES)
                    )
                    await self._delivering.send_due(self._look)
                except RequestError as error:
                    self._log.warning("events of a sandbox were not sent", reason=str(error))
                except Exception:  # noqa: BLE001 - it is told, and the next request begins anew
                    self._log.exception("work failed", work="sending events of a sandbox")

    async def _look(self) -> None:
        await self._wanted.wait()
        self._wanted.clear()
