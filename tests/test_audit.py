"""The audit fails on what is known to be unsafe, passes on what is not, and says when it could not ask."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCK = "good==1.0 \\\n    --hash=sha256:00\nbad[extra]==2.1 ; python_version < '3.14' \\\n    --hash=sha256:00\n"


class Advisories(BaseHTTPRequestHandler):
    """Knows one advisory, against one version."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))["queries"]
        known = [one["package"]["name"] == "bad" and one["version"] == "2.1" for one in asked]
        body = json.dumps({"results": [{"vulns": [{"id": "GHSA-1"}]} if one else {} for one in known]}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


@pytest.fixture
def source() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Advisories)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def audited(tmp_path: Path, lock: str, source: str, **more: str) -> tuple[int, str]:
    (tmp_path / "some.lock").write_text(lock)
    command = [sys.executable, str(ROOT / ".ci" / "audit.py"), str(tmp_path / "some.lock")]
    environment = os.environ | {"AUDIT_SOURCE": source} | more
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout


def test_a_version_with_an_advisory_fails_the_audit(tmp_path: Path, source: str) -> None:
    code, said = audited(tmp_path, LOCK, source)
    assert code == 1
    assert "bad 2.1: GHSA-1" in said
    assert "2 locked versions audited, 1 with advisories" in said


def test_without_advisories_it_passes(tmp_path: Path, source: str) -> None:
    assert audited(tmp_path, LOCK.replace("2.1", "2.2"), source)[0] == 0


def test_where_nobody_can_be_asked_it_says_so_and_fails_only_where_it_must_be(tmp_path: Path) -> None:
    code, said = audited(tmp_path, LOCK, "http://127.0.0.1:1/")
    assert (code, said.startswith("SKIPPED: no answer from")) == (0, True)
    assert audited(tmp_path, LOCK, "http://127.0.0.1:1/", AUDIT_REQUIRED="1")[0] == 1
