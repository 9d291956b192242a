"""Where a rehearsal takes place: a home of its own with the started definition, a sandbox's key, and a service."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from experiments.checking import check
from experiments.definition import Change, Definition, Entry, Status
from experiments.definition_file import read_definition
from experiments.lifecycle import changed
from features.errors import InputError, InvalidValueError
from serving.client.client import Recoup
from serving.definition_checks import known_under
from serving.definitions import Folder, folder_at
from serving.demo.running import running_service
from serving.ledger.migrate import migrate
from serving.ledger.opening import store_at
from serving.registry import answering
from serving.settings import Auth, Settings, Shadow, environment_of
from serving.tenancy.keys import Scope, create_key
from serving.tenancy.merchants import add_merchant

BY = "rehearsal"
_SECONDS = 60.0


def stage_settings(settings: Settings, out: Path, model: Path | None) -> Settings:
    """The settings of the rehearsal's service: the merchant's rules and figures, and nothing else of the live one.

    A decision may take as long as it needs, so that a busy machine changes none.

    Args:
        model: Artifact to answer with; the registered champion where none is named, else the shipped prior.

    Raises:
        InputError: The artifact that is named cannot be used.
    """
    home = out / "home"
    found = answering(replace(settings, model=model or settings.model), folding=False)
    if model is not None and found.refused is not None:
        raise InputError(found.refused)
    return replace(
        settings,
        home=home,
        model=found.folder,
        tracking_uri=f"sqlite:///{home / 'no-registry.db'}",
        shadow=Shadow.OFF,
        follow_seconds=0,
        decision_seconds=_SECONDS,
        webhooks=None,
        event_targets=None,
        experiments=out / "definitions",
        database=f"sqlite:///{home / 'ledger.db'}?synchronous=normal",
        auth=Auth.ON,
        log_format="json",
    )


def started(folder: Folder, key: str, since: datetime, staged: Settings) -> Definition:
    """The definition as it would stand had it been started at an instant, alone in the rehearsal's folder.

    Raises:
        InvalidValueError: There is no such experiment, or it is no draft.
        InputError: It has a fault, cannot run, or cannot be written.
    """
    path, definition = folder.path_of(key), folder.of(key)
    if definition.status is not Status.DRAFT:
        raise InvalidValueError("status", definition.status.value, "draft: a rehearsal comes before the start")
    entry = Entry(since, Change.STARTED, BY, definition.coverage or 1.0)
    text = changed(path.read_text(encoding="utf-8"), str(path), entry)
    faults = check(read_definition(text, str(path)), known_under(staged))
    if faults:
        raise InputError(" ".join(fault.sentence for fault in faults))
    place = staged.experiments or path.parent
    try:
        place.mkdir(parents=True, exist_ok=True)
        for other in place.glob("*.toml"):
            other.unlink()
        (place / f"{key}.toml").write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{place} cannot be written: {error.strerror}") from None
    return folder_at(place).of(key)


def sandbox_key(staged: Settings, merchant_id: str) -> str:
    """A new key of the merchant's sandbox in the rehearsal's ledger, which is made where there is none.

    Raises:
        InputError: The ledger cannot be used.
    """
    now = datetime.now(UTC)
    staged.home.mkdir(parents=True, exist_ok=True)
    with closing(store_at(staged.database)) as store:
        migrate(store)
        add_merchant(store, merchant_id, "", now)
        return create_key(store, merchant_id, Scope.DECIDE, now, label=BY, per_second=None, sandbox=True).secret


@contextmanager
def served(staged: Settings, key: str) -> Iterator[Recoup]:
    """A client of a service with these settings, on a free port, for as long as the block runs.

    Raises:
        InputError: It does not start; its log says why.
    """
    with (
        running_service(staged.home, environment_of(staged)) as http,
        Recoup(str(http.base_url).rstrip("/"), key, timeout_s=2 * _SECONDS) as recoup,
    ):
        yield recoup
