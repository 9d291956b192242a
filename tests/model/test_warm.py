"""What is compiled beforehand is what scoring calls."""

from datetime import timedelta

import numpy as np
from numba.core.registry import CPUDispatcher

from builders import random_history, simple_classify
from context_builders import card, context, failed
from features.encoders import from_json, learn
from features.few.frame import FewFrame
from features.few.kernels import fill, know, read
from features.supposed import Supposed
from features.table_of_history import from_arrow
from forest_builders import COLUMNS, PLAIN, learnt_from, texts_of
from model import prior_kernel, support_kernel
from model.candidates import candidates, horizon_of
from model.caps.rulebook import Rulebook
from model.decide import decide
from model.economics import Economics
from model.forest.attribution import Attribution, _add_parts, _leave_out, _shown, _ways
from model.forest.flat import flatten
from model.forest.kernels import add_up, as_arrays
from model.forest.sides import lay_out
from model.forest.trees import Missing, Tree, read_trees
from model.planning.choosing import best_of_each, in_order_of_use, leading, stand_ins, undominated
from model.planning.imagined import Imagining
from model.planning.kernels import over_states
from model.planning.probing import between, by_gap, fill_in, mean_changes
from model.prior import PriorScorer
from model.prior_few import prior_logits_of
from model.support import ANY, Support
from model.warm import warm


def test_a_real_forest_is_scored_by_what_was_compiled_for_the_smallest() -> None:
    warm()
    assert isinstance(add_up, CPUDispatcher)
    compiled = list(add_up.signatures)
    tree = Tree(
        (0, 1), (0.5, 0.0), (False, True), (True, False), (Missing.NAN, Missing.NONE), (1, -1), (-3, -2),
        (1.0, 2.0, 3.0), (frozenset({1, 40}),),
    )  # fmt: skip
    rows = np.array([[0.2, 1], [0.2, 2], [0.6, 1], [np.nan, 40]], dtype=np.float32)
    np.testing.assert_array_equal(add_up(rows, *as_arrays(flatten([[tree, tree]])))[:, 0], [2.0, 4.0, 6.0, 2.0])
    assert add_up.signatures == compiled


def test_a_real_forest_is_explained_by_what_was_compiled_for_the_smallest() -> None:
    warm()
    kernels = (lay_out, _shown, _ways, _leave_out, _add_parts)
    assert all(isinstance(kernel, CPUDispatcher) for kernel in kernels)
    compiled = [list(getattr(kernel, "signatures")) for kernel in kernels]  # noqa: B009 - not in the annotated type
    texts = texts_of(PLAIN)
    Attribution(flatten([read_trees(text) for text in texts]), COLUMNS)(learnt_from(1, 5))
    assert [list(getattr(kernel, "signatures")) for kernel in kernels] == compiled  # noqa: B009


def test_real_plans_are_made_by_what_was_compiled_for_the_smallest() -> None:
    warm()
    kernels = (
        over_states,
        in_order_of_use,
        leading,
        best_of_each,
        undominated,
        stand_ins,
        by_gap,
        between,
        fill_in,
        mean_changes,
    )
    assert all(isinstance(kernel, CPUDispatcher) for kernel in kernels)
    compiled = [list(getattr(kernel, "signatures")) for kernel in kernels]  # noqa: B009 - not in the annotated type
    rulebook, economics = Rulebook.load(), Economics.default()
    for methods in (1, 2):
        cards = [card(f"card_{i}", processors=("a", "b")) for i in range(methods)]
        failure = context(cards, [failed(card("card_0"))], days=20)
        assert len(decide(failure, PriorScorer(), rulebook, economics).plan.attempts) > 1
    assert [list(getattr(kernel, "signatures")) for kernel in kernels] == compiled  # noqa: B009


def test_real_contexts_are_framed_by_what_was_compiled_for_the_smallest() -> None:
    warm()
    kernels = (read, know, fill, prior_kernel.add_up, prior_kernel.categories, support_kernel.beyond)
    assert all(isinstance(kernel, CPUDispatcher) for kernel in kernels)
    compiled = [list(getattr(kernel, "signatures")) for kernel in kernels]  # noqa: B009 - not in the annotated type
    few = FewFrame(from_json(learn(from_arrow(random_history(3), simple_classify)).to_json()))
    cards = [card(f"card_{i}", processors=("a", "b")) for i in range(2)]
    asked = context(cards, [failed(cards[0]), failed(cards[1], ago=timedelta(days=3), payment_id="inv_0")])
    retries = candidates(asked, horizon_of(asked))
    supposed = Supposed(Imagining(asked).supposing(retries), [(0,), (0, 1)], np.array([3, 4, 5]), [2, 1])
    framed = few([(asked, retries), supposed])
    prior_logits_of(framed.facts)
    Support({ANY: 5.0}, 6, 0.5).beyond(framed.matrix)
    assert [list(getattr(kernel, "signatures")) for kernel in kernels] == compiled  # noqa: B009
