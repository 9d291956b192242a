"""The ledger of a sandbox as commands read it, and what time it is in there."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime

from serving.ledger.store import Store
from serving.sandbox.place import open_generation
from serving.sandbox.state import known_state
from serving.settings import Settings


@contextmanager
def sandbox_ledger(settings: Settings, live: Store, merchant_id: str) -> Iterator[tuple[Store, datetime]]:
    """The database of a merchant's sandbox, and the instant that its clock shows.

    Args:
        settings: Whose home, or whose database, has it.
        live: The database in which it is kept how sandboxes stand.

    Raises:
        InvalidValueError: The merchant has no sandbox.
        InputError: It cannot be opened.
    """
    state = known_state(live, merchant_id)
    with closing(open_generation(settings, live, merchant_id, state.generation)) as store:
        yield store, state.now
