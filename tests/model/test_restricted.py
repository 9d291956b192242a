"""Doing without a move leaves everything else as it was."""

from collections.abc import Sequence

from context_builders import card, context, debit, failed
from features.action import Stop
from features.context import Context
from model.decision import Choice
from model.restricted import Restricted


class Seeing:
    """Remembers the contexts it was asked about."""

    name = "seeing"

    def __init__(self) -> None:
        self.seen: list[Context] = []

    def choices(self, contexts: Sequence[Context]) -> Sequence[Choice]:
        self.seen.extend(contexts)
        return [Choice(Stop("seen"), 1.0) for _ in contexts]


def methods_seen(*, cycling: bool = True, routing: bool = True) -> dict[str, tuple[bool, tuple[str, ...]]]:
    first, second = card(processors=("north", "south")), card("card_2", processors=("south", "north"))
    policy = Seeing()
    asked = context([first, second, debit()], [failed(first, processor="south")])
    Restricted(policy, "without", cycling=cycling, routing=routing).choices([asked])
    return {m.method_id: (m.consented, m.processors) for m in policy.seen[0].methods}


def test_without_cycling_only_the_method_that_failed_first_is_left() -> None:
    assert methods_seen(cycling=False) == {
        "card_1": (True, ("north", "south")),
        "card_2": (False, ("south", "north")),
        "debit_1": (False, ("north",)),
    }


def test_without_routing_each_method_has_one_processor() -> None:
    assert methods_seen(routing=False) == {
        "card_1": (True, ("south",)),
        "card_2": (True, ("south",)),
        "debit_1": (True, ("north",)),
    }


def test_with_every_move_nothing_changes() -> None:
    assert methods_seen()["card_1"] == (True, ("north", "south"))
