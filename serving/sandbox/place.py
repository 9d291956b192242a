"""Where the ledger of a sandbox is kept: one database for each generation, so that nothing of it meets the live one.

Beside SQLite a file in a folder of the home; in PostgreSQL a schema of its own in the same database.
"""

from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from serving.ledger.migrate import migrate
from serving.ledger.opening import store_at
from serving.ledger.sqlite import SqliteStore
from serving.ledger.store import Store
from serving.settings import Settings

_BESIDE = ("", "-wal", "-shm", "-queue")
_LOOKED_BACK = 20  # generations; whatever is older was looked for as often


def open_generation(settings: Settings, live: Store, merchant_id: str, generation: int) -> Store:
    """The database of one generation; made where there is none.

    Raises:
        InputError: It cannot be opened.
    """
    name = _name(merchant_id, generation)
    if live.dialect == "sqlite":
        store: Store = SqliteStore(_file(settings, name), "normal", settings.ledger_seconds)
    else:
        with live.writing() as transaction:
            transaction.script(f"CREATE SCHEMA IF NOT EXISTS {name};")
        store = store_at(_within(settings.database, name), settings.ledger_seconds)
    migrate(store)
    return store


def drop_generations_before(settings: Settings, live: Store, merchant_id: str, generation: int) -> None:
    """Remove the databases of earlier generations, those too that a slower worker made once more after they were wiped.

    Raises:
        InputError: The server cannot be reached.
    """
    earlier = [_name(merchant_id, one) for one in range(max(1, generation - _LOOKED_BACK), generation)]
    if live.dialect != "sqlite":
        with live.writing() as transaction:
            transaction.script("".join(f"DROP SCHEMA IF EXISTS {name} CASCADE;\n" for name in earlier))
        return
    for name in earlier:
        path = _file(settings, name)
        for end in _BESIDE:
            with suppress(FileNotFoundError):
                path.with_name(path.name + end).unlink()


def _name(merchant_id: str, generation: int) -> str:
    """Letters and digits only, whatever the merchant's id holds; good for a file and for a schema.

    >>> _name("acme", 2)
    'sandbox_8f12ee1bf0f14b3a_2'
    """
    return f"sandbox_{blake2b(merchant_id.encode(), digest_size=8).hexdigest()}_{generation}"


def _file(settings: Settings, name: str) -> Path:
    return settings.home / "sandbox" / f"{name}.db"


def _within(url: str, schema: str) -> str:
    """The address of a PostgreSQL database where every name is of one schema.

    >>> _within("postgresql://u@h/d?sslmode=require", "sandbox_1")
    'postgresql://u@h/d?sslmode=require&options=-csearch_path%3Dsandbox_1'
    """
    parts = urlsplit(url)
    option = f"options={quote(f'-csearch_path={schema}')}"
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, option)))))
