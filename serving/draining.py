"""What a service does when it is told to stop: it says so to whoever asks whether it is ready, and then leaves."""

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType

from structlog.typing import FilteringBoundLogger

Handler = Callable[[int, FrameType | None], object]


class Draining:
    """Whether the service was told to stop.

    Args:
        seconds: How long it goes on answering, so that load balancers notice, before the server closes its door and
            finishes what it has begun. Told again meanwhile, it closes at once.
    """

    def __init__(self, seconds: int) -> None:
        self.begun = False
        self._seconds = seconds

    def listen(self, log: FilteringBoundLogger) -> None:
        """Hear of SIGTERM before the server does; called in its event loop, once the server listens to it itself."""
        server = signal.getsignal(signal.SIGTERM)
        if threading.current_thread() is not threading.main_thread() or not callable(server):
            return  # nothing is stopped by a signal here
        loop = asyncio.get_running_loop()

        def told(number: int, frame: FrameType | None) -> None:
            if self.begun or self._seconds == 0:
                self.begun = True
                server(number, frame)
                return
            self.begun = True
            loop.call_soon_threadsafe(self._leave_later, log, server)

        signal.signal(signal.SIGTERM, told)

    def _leave_later(self, log: FilteringBoundLogger, server: Handler) -> None:
        log.info("draining", seconds=self._seconds)
        asyncio.get_running_loop().call_later(self._seconds, server, signal.SIGTERM, None)
