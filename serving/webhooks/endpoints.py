"""Who may deliver webhooks for which merchant, with which secrets: one TOML file, read at start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from features.card_number import refuse_card_number
from features.errors import InvalidValueError
from features.money import minor_digits
from features.sources.problems import Problems
from features.sources.problems import Settings as Table
from serving.listed_tables import ListedTables
from serving.secret_places import SecretPlaces
from serving.webhooks.signatures import SOURCES

_KEYS = ("source", "merchant_id", "secrets", "currency", "test_events")
_APART = "expected a merchant_id of its own for a sender with test_events"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One sender of one merchant.

    Args:
        secrets: Every secret that is active; several while they rotate.
        currency: Of amounts that the sender leaves without one (Recurly).
        test_events: Whether test events count (Stripe); never beside live ones.
    """

    source: str
    merchant_id: str
    secrets: tuple[str, ...] = field(repr=False)
    currency: str | None = None
    test_events: bool = False


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Every sender that is set up; none of them unless the settings say so."""

    all: tuple[Endpoint, ...] = ()

    def of(self, source: str, merchant_id: str | None = None) -> tuple[Endpoint, ...]:
        """The senders by that name, of one merchant where one is named."""
        return tuple(e for e in self.all if e.source == source and merchant_id in {None, e.merchant_id})

    def first(self, source: str, merchant_id: str) -> Endpoint:
        """What was stated for a merchant's sender; nothing where it is set up no longer."""
        return next(iter(self.of(source, merchant_id)), Endpoint(source, merchant_id, ()))


def endpoints_in(path: Path | None, environment: Mapping[str, str] | None) -> Endpoints:
    """The senders that the file sets up; none without a file.

    Args:
        environment: Holds secrets; None reads none of them, for whoever verifies nothing.

    Raises:
        InputError: The file cannot be read or used, or a secret that it names is not there; every fault is named,
            and no secret is.
        CardNumberError: A merchant's id looks like a card number.
    """
    if path is None:
        return Endpoints()
    listed = ListedTables.read(path, "webhooks", "endpoint", "sender")
    reading = _Reading(path.parent, environment, listed.problems)
    found = [one for place, table in listed.tables if (one := reading.endpoint(place, table)) is not None]
    for source, merchant_id in sorted({(one.source, one.merchant_id) for one in found if one.test_events}):
        if not all(one.test_events for one in found if (one.source, one.merchant_id) == (source, merchant_id)):
            listed.problems.add(f"endpoint: {source} of {merchant_id} takes test events beside live ones; {_APART}")
    listed.raise_if_any()
    return Endpoints(tuple(found))


class _Reading:
    def __init__(self, folder: Path, environment: Mapping[str, str] | None, problems: Problems) -> None:
        self._places = SecretPlaces(folder, environment, problems)
        self._problems = problems

    def endpoint(self, place: str, values: dict[str, object]) -> Endpoint | None:
        table = Table(place, values, self._problems)
        table.refuse_unknown(_KEYS)
        source = table.choice("source", {name: name for name in SOURCES})
        merchant_id, currency = table.text("merchant_id"), table.text("currency")
        for key in ("source", "merchant_id"):
            if key not in values:
                self._problems.add(f"{place}.{key}: is missing")
        refuse_card_number("merchant_id", merchant_id or "")
        secrets = self._places.secrets(f"{table.place}.secrets", values.get("secrets"), "STRIPE_WEBHOOK_SECRET")
        if currency is not None:
            self._check_currency(table, currency)
        test_events = table.flag("test_events")
        return Endpoint(source, merchant_id, secrets, currency, test_events) if source and merchant_id else None

    def _check_currency(self, table: Table, currency: str) -> None:
        try:
            minor_digits(currency)
        except InvalidValueError as error:
            table.problem("currency", currency, error.expected)
