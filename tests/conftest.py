"""Lets tests import their builders as `builders` under importlib mode, and keeps libraries from reporting home.

Hypothesis draws the same examples in every run, so that a red run is red for everybody who repeats it;
`HYPOTHESIS_PROFILE=random make test` looks further.
"""

import os
import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(1, str(Path(__file__).parents[1] / "docs" / "examples" / "recipes"))
os.environ |= {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MPLCONFIGDIR": str(Path.home() / ".cache" / "matplotlib"),
}

settings.register_profile("same", derandomize=True, database=None, deadline=None)
settings.register_profile("random", print_blob=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
