"""With few retries the prior keeps its say, with many it loses it, and the blend survives JSON."""

import numpy as np
import pytest

from features.errors import InputError
from model.blend import Blend


def test_the_weight_is_the_share_of_the_rows_among_rows_and_strength() -> None:
    assert Blend(500, 500.0).weight == 0.5
    assert Blend(50, 500.0).weight < 0.1
    assert Blend(50_000, 500.0).weight > 0.98
    assert Blend(1, 0.0).is_model_alone


def test_logits_of_one_or_many_boosters_are_drawn_to_the_prior_by_its_share() -> None:
    blend, prior = Blend(300, 100.0), np.array([1.0, -1.0])
    np.testing.assert_allclose(blend.apply(np.array([3.0, 3.0]), prior), [2.5, 2.0])
    np.testing.assert_allclose(blend.apply(np.array([[3.0, 1.0], [3.0, 1.0]]), prior), [[2.5, 1.0], [2.0, 0.5]])


def test_a_blend_survives_json_and_a_model_without_one_answers_alone() -> None:
    assert Blend.from_json(Blend(120, 500.0).to_json()) == Blend(120, 500.0)
    assert Blend.from_json(None).is_model_alone


@pytest.mark.parametrize("value", [{}, {"rows": 0, "strength": 1.0}, {"rows": 5, "strength": -1.0}, [1, 2]])
def test_a_blend_that_means_nothing_is_refused(value: object) -> None:
    with pytest.raises(InputError, match="blend must hold"):
        Blend.from_json(value)
