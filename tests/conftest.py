"""Lets tests import their builders as `builders` under importlib mode, and keeps libraries from reporting home."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(1, str(Path(__file__).parents[1] / "docs" / "examples" / "recipes"))
os.environ |= {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MPLCONFIGDIR": str(Path.home() / ".cache" / "matplotlib"),
}
