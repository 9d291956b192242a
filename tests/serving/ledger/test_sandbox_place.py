"""A sandbox is kept apart in either kind of database, and its removal takes nothing else with it."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cap_builders import NOW, an_attempt
from ledger_builders import MERCHANT, a_proposal, facts_about
from model.caps.rulebook import Rulebook
from serving.ledger.events import Source, reported
from serving.ledger.ledger import Ledger
from serving.ledger.migrate import version_of
from serving.sandbox.place import drop_generations_before, open_generation
from serving.settings import Settings


def attempts(ledger: Ledger) -> int:
    return len(ledger.tally(a_proposal("new"), NOW).events)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_generations_are_apart_from_the_live_ledger_and_from_each_other(
    new_url: Callable[[str], str], kind: str, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, database=new_url(kind))
    book = Rulebook.load()
    event = reported(MERCHANT, Source.WEBHOOK, "e1", facts_about(an_attempt(5)))
    with closing(Ledger.opened(settings.database, book)) as live:
        for generation in (1, 2):
            with closing(Ledger(open_generation(settings, live.store, MERCHANT, generation), book)) as ledger:
                assert version_of(ledger.store) == version_of(live.store)
                assert attempts(ledger) == 0
                ledger.record([event], NOW)
                assert attempts(ledger) == 1
        assert attempts(live) == 0
        for _ in range(2):
            drop_generations_before(settings, live.store, MERCHANT, 2)
        with closing(Ledger(open_generation(settings, live.store, MERCHANT, 1), book)) as again:
            assert attempts(again) == 0
        with closing(Ledger(open_generation(settings, live.store, MERCHANT, 2), book)) as second:
            assert attempts(second) == 1
        live.record([event], NOW)
        assert attempts(live) == 1
