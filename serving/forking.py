"""Workers forked from the process that has loaded everything: it is loaded once, and they share its memory.

uvicorn's supervisor, which watches over them, spawns its workers otherwise. Decision 0192 says what a fork asks of the
process that makes it.
"""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from multiprocessing.context import ForkProcess
from socket import socket
from typing import TYPE_CHECKING

from uvicorn.config import Config
from uvicorn.supervisors import Multiprocess, multiprocess

if TYPE_CHECKING:
    from fastapi import FastAPI

FORKS = sys.platform == "linux"
"""Whether workers are forked; the libraries of other systems do not bear it."""


class Prepared:
    """The application of a worker: of what was loaded for the first ones, and of what is there by then for later ones.

    Args:
        first: Builds it of what is loaded already.
        later: Loads everything and builds it.
    """

    def __init__(self, first: "Callable[[], FastAPI]", later: "Callable[[], FastAPI]") -> None:
        self._build, self._later = first, later

    def __call__(self) -> "FastAPI":
        """Build it; what a worker does."""
        return self._build()

    def forget(self) -> None:
        """Let go of what was loaded: a worker that replaces another one has to answer with the champion of its time."""
        self._build = self._later


class Workers(Multiprocess):
    """Starts as many workers as the configuration says, and others for those that end; they are forked where they can.

    Args:
        config: Its application is what a worker builds.
        sockets: What they listen on.
    """

    def init_processes(self) -> None:
        """Start them."""
        super().init_processes()
        if isinstance(self.config.app, Prepared):
            self.config.app.forget()

    def run(self) -> None:
        """Watch over them until a signal."""
        with _forking() if FORKS else nullcontext():
            super().run()


class Worker(ForkProcess):
    """A forked process to which signals mean what they mean to a new one, from its first moment."""

    def start(self) -> None:
        """Fork. A signal that comes meanwhile waits, or the new process would treat it as the old one does."""
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._before)

    def run(self) -> None:
        """Do the work, in the new process."""
        for number in signal.valid_signals():
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)
        super().run()


@contextmanager
def _forking() -> Iterator[None]:
    """While the block runs, uvicorn's supervisor forks its workers."""
    supervisor = vars(multiprocess)
    spawned = supervisor["get_subprocess"]
    supervisor["get_subprocess"] = _worker
    try:
        yield
    finally:
        supervisor["get_subprocess"] = spawned


def _worker(config: Config, target: Callable[..., None], sockets: list[socket]) -> Worker:
    return Worker(target=_begin, args=(config, target, sockets))


def _begin(config: Config, target: Callable[..., None], sockets: list[socket]) -> None:
    config.configure_logging()
    with suppress(KeyboardInterrupt):  # whoever started it ends too, and nothing is left to tell
        target(sockets=sockets)
