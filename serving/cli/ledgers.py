"""The ledger that a command is about: one that is there. Only what begins an installation makes one, and says so.

In a shell without the service's settings a command would otherwise make an empty ledger, stop that, and say so.
"""

import sys
from typing import TYPE_CHECKING

from serving.cli.ledger import url_of

if TYPE_CHECKING:
    from serving.ledger.ledger import Ledger
    from serving.ledger.outbox import Outbox
    from serving.ledger.store import Store


def kept_store(database: str | None) -> "Store":
    """The ledger at an address, of this version.

    Raises:
        InputError: There is none, it cannot be reached, or it is of another version.
    """
    store = kept_store_of_any_version(database)
    _require_current(store)
    return store


def kept_store_of_any_version(database: str | None) -> "Store":
    """The ledger at an address.

    Raises:
        InputError: There is none, or it cannot be reached.
    """
    from features.errors import InputError
    from serving.ledger.migrate import version_of
    from serving.ledger.opening import store_at, where_it_lacks

    url = url_of(database)
    lacking = where_it_lacks(url)
    if lacking is None:
        store = store_at(url)
        if version_of(store):
            return store
        lacking = store.where
        store.close()
    raise InputError(f"no ledger at {lacking}; set RECOUP_HOME or RECOUP_DATABASE_URL, or give --database")


def kept_ledger(database: str | None, outbox: "Outbox | None" = None) -> "Ledger":
    """The same with the rules as shipped.

    Raises:
        InputError: As for `kept_store`.
    """
    from model.caps.rulebook import Rulebook
    from serving.ledger.ledger import Ledger
    from serving.ledger.outbox import SILENT

    return Ledger(kept_store(database), Rulebook.load(), outbox or SILENT)


def begun_store(database: str | None) -> "Store":
    """The ledger at an address, of this version; where there is none one is made, which is told.

    Raises:
        InputError: It cannot be reached, or is of another version.
    """
    from serving.ledger.migrate import version_of
    from serving.ledger.opening import store_at

    store = store_at(url_of(database))
    is_new = not version_of(store)
    _require_current(store)
    if is_new:
        sys.stderr.write(f"A new ledger is begun: {store.where}\n")
    return store


def _require_current(store: "Store") -> None:
    from features.errors import RecoupError
    from serving.ledger.migrate import require_current

    try:
        require_current(store)
    except RecoupError:
        store.close()
        raise
