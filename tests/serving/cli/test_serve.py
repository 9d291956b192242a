"""`recoup serve` as a process: answers over a real socket, refuses big bodies, and stops when told."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from features.errors import InputError
from metric_readers import counted
from serving.ports import bound_socket, free_port
from serving.settings import Settings
from serving.tracking_server import tracking_server

COMMAND = (sys.executable, "-c", "from serving.cli import main; main()", "serve")
EXAMPLE = Path(__file__).parents[3] / "serving" / "examples" / "stolen-card-second-on-file.json"
JSON = {"content-type": "application/json"}


def environment(home: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("RECOUP_", "MLFLOW_"))}
    more = {"RECOUP_LOG_FORMAT": "json", "RECOUP_DECISION_SECONDS": "60"}  # of a machine as slow as you like
    return own | {"RECOUP_HOME": str(home)} | more


@pytest.fixture(params=["1", "2"], ids=["one worker", "two workers"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    port = free_port()
    arguments = [*COMMAND, "--port", str(port), "--workers", request.param]
    process = subprocess.Popen(arguments, env=environment(tmp_path), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if '"ready"' in line:
                break
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


@contextmanager
def begun(address: str, body: bytes) -> Iterator[tuple[socket.socket, bytes]]:
    """A request that the application has begun to read, and what of it is still to be sent."""
    host, _, port = address.removeprefix("http://").partition(":")
    head = f"POST /v1/decisions HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
    head += f"content-length: {len(body)}\r\nexpect: 100-continue\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=300) as connection:
        connection.sendall(head.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 100")
        connection.sendall(body[:100])
        yield connection, body[100:]


def test_a_real_server_decides_refuses_counts_and_stops_once_it_has_answered(
    running: tuple[str, subprocess.Popen[str]],
) -> None:
    address, process = running
    transport = httpx.HTTPTransport(retries=5)
    with httpx.Client(base_url=address, timeout=300, transport=transport) as client:
        assert client.get("/ready").json()["policy_source"] == "prior"
        body = EXAMPLE.read_bytes()
        answers = [client.post("/v1/decisions", content=body, headers=JSON) for _ in range(3)]
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
        assert client.post("/v1/decisions", content=b" " * 10_000_000, headers=JSON).status_code == 413
        chunked = (b" " * 100_000 for _ in range(20))
        assert client.post("/v1/decisions", content=chunked, headers=JSON).status_code == 413
        assert client.get("/health", headers={"x-long": "x" * 65_536}).status_code == 431
        assert client.get("/health").status_code == 200
        metrics = client.get("/metrics").text
        assert [value for _, value in counted(metrics, "recoup_decisions_total")] == [3.0]
        assert sum(value for _, value in counted(metrics, "recoup_model_workers")) in {1.0, 2.0}
    with begun(address, body) as (connection, rest):
        process.send_signal(signal.SIGTERM)
        connection.sendall(rest)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    assert process.wait(300) == 0


def test_a_taken_port_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        arguments = [*COMMAND, "--port", str(taken.getsockname()[1])]
        ran = subprocess.run(arguments, env=environment(tmp_path), capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr.startswith("recoup: cannot listen on 127.0.0.1:")
    assert ran.stderr.count("\n") == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_ledger_that_cannot_be_used_is_told_before_any_address(tmp_path: Path, workers: str) -> None:
    (tmp_path / "ledger.db").write_text("these are notes, and a good many of them, more than a header is long " * 20)
    arguments = [*COMMAND, "--port", "0", "--workers", workers]
    ran = subprocess.run(arguments, env=environment(tmp_path), capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "not a database" in ran.stderr
    assert ran.stderr.startswith("recoup: ")
    assert ran.stderr.count("\n") == 1


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(InputError, match=r"cannot listen on 192\.0\.2\.1"):
        bound_socket("192.0.2.1", 0)


def test_mlflow_is_not_run_twice(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="already runs at"),
        tracking_server(Settings(home=tmp_path, tracking_uri="http://mlflow:5000"), "127.0.0.1", free_port()),
    ):
        raise AssertionError("it must not start")
