"""A small valid request to bend, and a clock that stands still."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import orjson
import pytest

from builders import random_history, simple_classify
from features.encoders import learn
from features.frame import frame
from features.rows import rows_of_history
from features.table import from_arrow
from model.artifact import Artifact, write_artifact
from model.boosted import Uncertainty, column_facts
from model.calibration import Unchanged

# A JSON document that tests take apart; its shape is the point of the tests.
Document = dict[str, Any]


@pytest.fixture
def document() -> Document:
    """A request with one declined attempt on one of two methods."""
    return {
        "as_of": "2026-11-23T10:15:00Z",
        "payment": {
            "payment_id": "inv_1",
            "merchant_id": "acme",
            "customer_id": "cus_1",
            "amount_minor": 2799,
            "currency": "EUR",
            "due_at": "2026-11-23T09:00:00Z",
        },
        "methods": [
            {
                "method_id": "pm_1",
                "rail": "card",
                "network": "visa",
                "issuer": {"country": "DE", "time_zone": "Europe/Berlin"},
                "processors": ["northgate"],
            },
            {"method_id": "pm_2", "rail": "card", "network": "mastercard", "processors": ["stripe"]},
        ],
        "attempts": [
            {
                "attempt_id": "att_1",
                "method_id": "pm_1",
                "processor": "northgate",
                "attempted_at": "2026-11-23T09:00:00Z",
                "outcome": "declined",
                "code": "51",
            }
        ],
    }


@pytest.fixture
def clock() -> Callable[[], datetime]:
    """Always the same instant."""
    return lambda: datetime(2026, 11, 23, 10, 15, tzinfo=UTC)


@pytest.fixture
def body(document: Document) -> bytes:
    """The small request as it is sent."""
    return orjson.dumps(document)


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small model of a random history."""
    attempts = from_arrow(random_history(3, 600), simple_classify)
    encoders, rows = learn(attempts), rows_of_history(attempts)
    approved = attempts.approved[rows.index].astype(np.float64)
    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5, "num_leaves": 7}
    boosters = [
        lgb.train(settings | {"seed": seed, "bagging_fraction": 0.7, "bagging_freq": 1},
                  lgb.Dataset(frame(rows, encoders), approved, free_raw_data=False), num_boost_round=8)
        for seed in (1, 2, 3)
    ]  # fmt: skip
    doubt = Uncertainty(1.0, (-2.0, 2.0), (0.1, 0.1))
    folder = tmp_path_factory.mktemp("model") / "artifact"
    texts = tuple(booster.model_to_string() for booster in boosters)
    facts = {"label": "approved", "uncertainty": doubt.to_json()}
    write_artifact(Artifact(texts, Unchanged(), encoders.to_json(), column_facts(), facts, "# Test model\n"), folder)
    return folder
