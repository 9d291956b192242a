"""Lets tests import their builders as `builders` under importlib mode, keeps libraries from reporting home, and names a
failure when it happens.

Hypothesis draws the same examples in every run, so that a red run is red for everybody who repeats it;
`HYPOTHESIS_PROFILE=random make test` looks further.
"""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(1, str(Path(__file__).parents[1] / "docs" / "examples" / "recipes"))

from made_registry import make_registry

__all__ = ["make_registry"]

os.environ |= {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MPLCONFIGDIR": str(Path.home() / ".cache" / "matplotlib"),
}

settings.register_profile("same", derandomize=True, database=None, deadline=None)
settings.register_profile("random", print_blob=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Name a failure when it happens: a run that is stopped never comes to its summary."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        said = [line for line in report.longreprtext.splitlines() if line.startswith("E ")]
        print("", f"FAILED {report.nodeid} ({report.when})", *said, sep="\n", file=sys.__stderr__, flush=True)
