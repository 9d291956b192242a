"""Asks MLflow something in a process of its own, so that its code, memory and time-outs stay out of the service."""

import os
import subprocess
import sys

import orjson

from features.errors import InputError

# The tracker reports its use to its makers unless it is told not to.
UNTRACKED = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
# The tracker would ask a server that is away for longer than a start may take.
_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
_SECONDS_TO_RESOLVE = 120


def told_by_program(uri: str, *arguments: str) -> dict[str, str]:
    """What `serving.champion`, a process of its own, says.

    Raises:
        InputError: The registry cannot be read, or does not answer.
    """
    try:
        ran = subprocess.run(  # noqa: S603 - our own program, arguments passed as a list
            [sys.executable, "-m", "serving.champion", *arguments],
            capture_output=True,
            timeout=_SECONDS_TO_RESOLVE,
            check=True,
            env=_PATIENCE | os.environ | UNTRACKED,
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"the registry at {uri} did not answer within {_SECONDS_TO_RESOLVE} seconds") from None
    except subprocess.CalledProcessError as error:
        raise InputError(f"the registry at {uri} cannot be read: {_last_line(error.stderr)}") from None
    found: dict[str, str] = orjson.loads(ran.stdout)
    return found


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no reason given"
