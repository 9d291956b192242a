"""Where the events of which merchant are sent, signed with which secrets: one TOML file, read at start."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from features.card_number import refuse_card_number
from features.errors import InvalidValueError
from features.sources.problems import Problems
from features.sources.problems import Settings as Table
from serving.events_out.addresses import Reach, check_url
from serving.events_out.signing import key_of
from serving.ledger.outbox import Outbox
from serving.listed_tables import ListedTables
from serving.secret_places import SecretPlaces

_KEYS = ("merchant_id", "name", "url", "secrets", "reach", "sandbox")
_MOST_SECRETS = 2


@dataclass(frozen=True, slots=True)
class Target:
    """One receiver of one merchant's events.

    Args:
        name: Of the merchant's own choosing; the queue shows it.
        secrets: Every secret that signs; two while they rotate.
        reach: How far inside it may lie.
        sandbox: It is told what happens in the merchant's sandbox, and nothing else.
    """

    merchant_id: str
    name: str
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    reach: Reach = Reach.PUBLIC
    sandbox: bool = False


@dataclass(frozen=True, slots=True)
class Targets:
    """Every receiver that is set up; none of them unless the settings say so."""

    all: tuple[Target, ...] = ()

    def named(self, merchant_id: str, name: str) -> Target | None:
        """One receiver."""
        return next((t for t in self.all if (t.merchant_id, t.name) == (merchant_id, name)), None)

    @property
    def outbox(self) -> Outbox:
        """Their names by merchant, as the ledger needs them."""
        names: dict[str, tuple[str, ...]] = defaultdict(tuple)
        for target in self.all:
            if not target.sandbox:
                names[target.merchant_id] += (target.name,)
        return Outbox(dict(names))

    def sandbox_outbox(self, merchant_id: str) -> Outbox:
        """Those of a merchant's sandbox; its events are written, to be read, even where nobody is sent them."""
        names = tuple(t.name for t in self.all if t.sandbox and t.merchant_id == merchant_id)
        return Outbox({merchant_id: names}, sandbox=True)


def targets_in(path: Path | None, environment: Mapping[str, str] | None) -> Targets:
    """The receivers that the file sets up; none without a file.

    Args:
        environment: Holds secrets; None reads none of them, for whoever signs nothing.

    Raises:
        InputError: The file cannot be read or used, or a secret that it names is not there; every fault is named,
            and no secret is.
        CardNumberError: A merchant's id looks like a card number.
    """
    if path is None:
        return Targets()
    listed = ListedTables.read(path, "event targets", "target", "receiver")
    places = SecretPlaces(path.parent, environment, listed.problems)
    read = [_target(place, table, places, listed.problems) for place, table in listed.tables]
    found = tuple(one for one in read if one is not None)
    _refuse_twins(found, listed.problems)
    listed.raise_if_any()
    return Targets(found)


def _target(place: str, values: dict[str, object], places: SecretPlaces, problems: Problems) -> Target | None:
    table = Table(place, values, problems)
    table.refuse_unknown(_KEYS)
    merchant_id, name, url = table.text("merchant_id"), table.text("name"), table.text("url")
    for key in ("merchant_id", "name", "url"):
        if key not in values:
            problems.add(f"{place}.{key}: is missing")
        refuse_card_number(key, str(values.get(key, "")))
    reach = table.choice("reach", {one.value: one for one in Reach}) or Reach.PUBLIC
    secrets = places.secrets(f"{place}.secrets", values.get("secrets"), "ACME_EVENTS_SECRET")
    _check_secrets(f"{place}.secrets", secrets, problems)
    if url is not None:
        try:
            check_url(url, reach)
        except InvalidValueError as error:
            problems.add(f"{place}.url: expected {error.expected}")
    if not (merchant_id and name and url):
        return None
    return Target(merchant_id, name, url, secrets, reach, table.flag("sandbox"))


def _check_secrets(place: str, secrets: tuple[str, ...], problems: Problems) -> None:
    if len(secrets) > _MOST_SECRETS:
        problems.add(f"{place}: {len(secrets)} are listed; expected one, or two while they rotate")
    for i, secret in enumerate(secrets):
        try:
            if secret:
                key_of(secret)
        except InvalidValueError as error:
            problems.add(f"{place}[{i}]: what it names is not usable; expected {error.expected}")


def _refuse_twins(found: tuple[Target, ...], problems: Problems) -> None:
    seen: set[tuple[str, str]] = set()
    for target in found:
        key = (target.merchant_id, target.name)
        if key in seen:
            problems.add(f"target: merchant {target.merchant_id} has two of the name {target.name}")
        seen.add(key)
