"""Workers forked from the process that has loaded everything: it is loaded once, and they share its memory.

uvicorn's supervisor, which watches over them, spawns its workers otherwise. Decision 0192 says what a fork asks of the
process that makes it.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from ctypes import CDLL
from multiprocessing.context import ForkProcess
from socket import socket
from threading import Event
from time import monotonic, sleep
from typing import TYPE_CHECKING

from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.supervisors import Multiprocess, multiprocess

from serving.doors import SharingServer

if TYPE_CHECKING:
    from fastapi import FastAPI

FORKS = sys.platform == "linux"
"""Whether workers are forked; the libraries of other systems do not bear it."""

REPLACES = "REPLACES_A_WORKER_OF_RECOUP"
"""The variable that is set in a worker started for one that ended by itself, which counts that."""

_TELL_OF_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2): the signal to send when it has ended
_STOPPING = frozenset({signal.SIGTERM, signal.SIGINT})
_SECONDS_TO_LOAD = 300
_LOOK_EVERY_S = 0.05
_OFTEN_S, _SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 60.0, 1.0, 60.0


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
        drain_seconds: For how long after the signal to stop workers take in what comes.
        ended: Told the number and the exit code of a worker that ended by itself and is replaced.
    """

    def __init__(
        self,
        config: Config,
        sockets: list[socket],
        drain_seconds: int = 0,
        ended: Callable[[int | None, int | None], None] = lambda pid, code: None,  # noqa: ARG005 - nobody asked
    ) -> None:
        super().__init__(config, sockets)
        self.should_exit = _Told(self.signal_queue)
        self._drain_seconds, self._ended = drain_seconds, ended
        self._pause, self._replaced_at = 0.0, monotonic()

    def init_processes(self) -> None:
        """Start them."""
        super().init_processes()
        if isinstance(self.config.app, Prepared):
            self.config.app.forget()

    def run(self) -> None:
        """Watch over them until a signal, or until one of them could not start, as none would.

        Raises:
            SystemExit: One could not start; whoever looks after this process shall see that it failed.
        """
        with _forking() if FORKS else nullcontext():
            super().run()
        if any(one.exitcode == STARTUP_FAILURE for one in self.processes):
            sys.exit(STARTUP_FAILURE)

    def keep_subprocess_alive(self) -> None:
        """Replace those that have ended, and say so; the longer from time to time the more often it happens."""
        since = monotonic() - self._replaced_at
        if since < self._pause:
            return
        before = list(self.processes)
        os.environ[REPLACES] = "1"
        try:
            super().keep_subprocess_alive()
        finally:
            del os.environ[REPLACES]
        gone = [one for one in before if one not in self.processes]
        for one in gone:
            self._ended(one.pid, one.exitcode)
        if gone:
            often = since < _OFTEN_S
            self._pause = min(2.0 * self._pause or _SHORTEST_PAUSE_S, _LONGEST_PAUSE_S) if often else 0.0
            self._replaced_at = monotonic()

    def restart_all(self) -> None:
        """Replace each by one that has loaded everything anew, for which there is time."""
        usual = self.config.timeout_worker_healthcheck
        self.config.timeout_worker_healthcheck = _SECONDS_TO_LOAD
        try:
            super().restart_all()
        finally:
            self.config.timeout_worker_healthcheck = usual

    def join_all(self) -> None:
        """Wait until they have ended.

        A further signal goes on to them. When they have closed their doors this one is closed too: nobody would answer
        who came in by it.
        """
        until = monotonic() + self._drain_seconds
        while any(one.process.is_alive() for one in self.processes):
            if not _STOPPING.isdisjoint(self.signal_queue):
                until = monotonic()
                self.signal_queue.clear()
                for one in self.processes:
                    one.process.terminate()
            if monotonic() >= until:
                for each in self.sockets:
                    each.close()
            sleep(_LOOK_EVERY_S)
        super().join_all()


class _Told(Event):
    """Whether to stop: said by the supervisor, or by a signal that it has not come to look at yet."""

    def __init__(self, signals: list[int]) -> None:
        super().__init__()
        self._signals = signals

    def is_set(self) -> bool:
        """Whether somebody said so."""
        return super().is_set() or not _STOPPING.isdisjoint(self._signals)


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
        """Do the work, in the new process, which ends with the one that it is of: nobody would look after it."""
        CDLL(None).prctl(_TELL_OF_PARENT, signal.SIGTERM)
        for number in signal.valid_signals():
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)
        super().run()


@contextmanager
def _forking() -> Iterator[None]:
    """While the block runs, uvicorn's supervisor forks its workers, and they share out who comes in."""
    supervisor, ours = vars(multiprocess), {"get_subprocess": _worker, "Server": SharingServer}
    theirs = {name: supervisor[name] for name in ours}
    supervisor.update(ours)
    try:
        yield
    finally:
        supervisor.update(theirs)


def _worker(config: Config, target: Callable[..., None], sockets: list[socket]) -> Worker:
    return Worker(target=_begin, args=(config, target, sockets))


def _begin(config: Config, target: Callable[..., None], sockets: list[socket]) -> None:
    config.configure_logging()
    with suppress(KeyboardInterrupt):  # whoever started it ends too, and nothing is left to tell
        target(sockets=sockets)
