"""What is told of models to whoever asks: why, and never where anything is."""

import pytest

from api_builders import Clock
from serving.registry import Away
from serving.service import Service
from serving.trust.current import Current, Refusal
from serving.trust.telling import OUT_OF_REACH, cause_of, models_of


@pytest.mark.parametrize(("reason", "told"), [
    (
        "no model yet: the registry sqlite:////srv/r/mlflow.db does not exist; recoup train makes one",
        "no model yet: the registry does not exist; recoup train makes one",
    ),
    ("the registry at http://u:p@10.0.0.1:5000 answers with status 500", "the registry answers with status 500"),
    ("/srv/models/3f2a: is not a model artifact", "3f2a: is not a model artifact"),
    ("folder /srv/models/3f2a", "folder 3f2a"),
    ("booster_0.txt: LightGBM cannot read it (/srv/models/3f2a)", "booster_0.txt: LightGBM cannot read it (3f2a)"),
    ("approved/declined: 3/4 of them", "approved/declined: 3/4 of them"),
    (Away("the registry at x cannot be read: no route to host db.internal"), OUT_OF_REACH),
])  # fmt: skip
def test_a_cause_names_no_place(reason: str, told: str) -> None:
    assert cause_of(reason) == told


def test_a_version_that_was_not_taken_is_told_without_the_place_of_its_files(service: Service) -> None:
    now, current = Clock().now, Current(service)
    current.refuse("champion", Refusal("3", "/srv/models/3f2a/model.json: is not JSON", now, now))
    assert models_of(current.snapshot).not_taken[0].reason == "model.json: is not JSON"
