"""Brings a database to the shape this version needs: numbered files, forward only, each applied once and whole."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from features.errors import InputError
from serving.ledger.store import Store, Transaction

# Whoever migrates waits for whoever else does.
_LOCK = ("migration",)
_FILE = re.compile(r"(?P<version>\d{4})_(?P<name>\w+)(?:\.(?P<dialect>sqlite|postgres))?\.sql")
_VERSIONS = """
CREATE TABLE IF NOT EXISTS migration (
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    CONSTRAINT a_migration_is_applied_once PRIMARY KEY (version)
);
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step; `digest` shows whether an applied file was changed afterwards."""

    version: int
    name: str
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@cache
def migrations(dialect: str) -> tuple[Migration, ...]:
    """Every step for a dialect, in order."""
    found = []
    for file in (files("serving.ledger") / "migrations").iterdir():
        match = _FILE.fullmatch(file.name)
        if match and match["dialect"] in {None, dialect}:
            found.append(Migration(int(match["version"]), match["name"], file.read_text("utf-8")))
    return tuple(sorted(found, key=lambda step: step.version))


def migrate(store: Store, up_to: int | None = None) -> tuple[Migration, ...]:
    """Apply the steps that are missing, all in one transaction, and return them.

    Args:
        up_to: The last version to apply; all when None.

    Raises:
        InputError: The database was made by a later version, or an applied file was changed.
    """
    with store.writing(locks=[_LOCK]) as transaction:
        transaction.script(_VERSIONS)
        missing = [m for m in _missing(store, transaction) if up_to is None or m.version <= up_to]
        for step in missing:
            transaction.script(step.text)
            transaction.put("note_migration", {"version": step.version, "name": step.name, "digest": step.digest})
    return tuple(missing)


def require_current(store: Store) -> None:
    """Make an empty database, and refuse one that is not of this version.

    Raises:
        InputError: The database is older or newer than this version; says what to do.
    """
    with store.reading() as transaction:
        missing = _missing(store, transaction) if _has_versions(transaction) else migrations(store.dialect)
    if len(missing) == len(migrations(store.dialect)):
        migrate(store)
    elif missing:
        names = ", ".join(f"{step.version:04d}_{step.name}" for step in missing)
        raise InputError(f"the ledger {store.where} lacks {names}; run recoup ledger migrate")


def version_of(store: Store) -> int:
    """The last step applied; 0 for an empty database."""
    with store.reading() as transaction:
        return max((version for version, _ in _applied(transaction)), default=0) if _has_versions(transaction) else 0


def _missing(store: Store, transaction: Transaction) -> Sequence[Migration]:
    known = {step.version: step for step in migrations(store.dialect)}
    applied = _applied(transaction)
    for version, digest in applied:
        if version not in known:
            raise InputError(f"the ledger {store.where} was made by a later version of Recoup (step {version:04d})")
        if known[version].digest != digest:
            raise InputError(f"the ledger {store.where}: step {version:04d} is not the one that this version ships")
    done = {version for version, _ in applied}
    return [step for version, step in sorted(known.items()) if version not in done]


def _applied(transaction: Transaction) -> list[tuple[int, str]]:
    (rows,) = transaction.ask(("applied_migrations", {}))
    return [(int(version or 0), str(digest)) for version, digest in rows]


def _has_versions(transaction: Transaction) -> bool:
    (rows,) = transaction.ask(("has_migrations", {}))
    return bool(rows)
