"""From the address of a database to a ledger."""

from pathlib import Path
from urllib.parse import SplitResult, parse_qs, urlsplit

from features.errors import InvalidValueError
from serving.ledger.addresses import without_password
from serving.ledger.sqlite import SYNCHRONOUS, SqliteStore
from serving.ledger.store import Store

_EXPECTED = "sqlite:///PATH, sqlite:///PATH?synchronous=normal or postgresql://USER@HOST/DATABASE"


def store_at(url: str, patience_s: float | None = None) -> Store:
    """The database at `sqlite:///PATH` (an absolute path has four slashes) or `postgresql://…`.

    Args:
        patience_s: How long whoever uses it waits for anything; None as long as it takes.

    Raises:
        InvalidValueError: Not such an address.
        InputError: The database cannot be reached.
    """
    parts = _parts(url)
    if parts.scheme in {"postgresql", "postgres"}:
        from serving.ledger.postgres import PostgresStore

        return PostgresStore(url, patience_s)
    if _names_a_file(parts):
        return SqliteStore(Path(parts.path[1:]), _synchronous(parts.query), patience_s)
    raise InvalidValueError("database", without_password(url), _EXPECTED)


def where_it_lacks(url: str) -> str | None:
    """The file that such an address names and that is not there, which `store_at` would make; None for any other."""
    parts = _parts(url)
    path = Path(parts.path[1:]).absolute()
    return str(path) if _names_a_file(parts) and not path.is_file() else None


def _names_a_file(parts: SplitResult) -> bool:
    return parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise InvalidValueError("database", without_password(url), _EXPECTED) from None


def _synchronous(query: str) -> str:
    options = parse_qs(query, keep_blank_values=True)
    chosen = options.pop("synchronous", ["full"])[-1]
    if options or chosen not in SYNCHRONOUS:
        raise InvalidValueError("database", query, f"synchronous={' or '.join(SYNCHRONOUS)}")
    return chosen
