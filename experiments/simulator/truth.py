"""The hidden truth of a world as tables: what a replay needs and a learner must never read."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa

from experiments.simulator.answers import Hidden
from experiments.simulator.generate import Failures, Generated
from experiments.simulator.landscape import landscape
from experiments.simulator.methods import SLOTS, Methods
from experiments.simulator.population import Customers
from experiments.simulator.settings import TRUTH_VERSION, Settings, Shift
from features.errors import InputError, InvalidValueError

TABLES: Final = ("customers", "methods", "failures")
WARNING = (
    "The hidden truth of a simulated world, for replaying policies and for checking assumptions. "
    "Learners must not read it: whatever a model may know stands in history.parquet.\n"
)


@dataclass(frozen=True, slots=True)
class Truth:
    """What a replay needs: the hidden state and the payments that failed."""

    hidden: Hidden
    failures: Failures


def settings_json(settings: Settings) -> dict[str, int | str]:
    """The settings as they stand in `settings.json`."""
    return {
        "version": TRUTH_VERSION,
        "seed": settings.seed,
        "start": settings.start.isoformat(),
        "months": settings.months,
        "customers": settings.customers,
        **{f"shift_{name}": value for name, value in asdict(settings.shift).items()},
    }


def truth_tables(made: Generated) -> dict[str, pa.Table]:
    """The tables of a world's truth by name."""
    return {
        "customers": _table(made.hidden.people),
        "methods": _table(made.hidden.methods),
        "failures": _table(made.failures),
    }


def read_truth(settings: Mapping[str, object], tables: Mapping[str, pa.Table]) -> Truth:
    """The truth that `settings_json` and `truth_tables` wrote.

    Raises:
        InputError: Written by another version, or the tables do not belong together.
        InvalidValueError: A setting is not what it should be.
    """
    if settings.get("version") != TRUTH_VERSION:
        found = settings.get("version")
        raise InputError(f"truth/settings.json: version {found!r} cannot be read; expected {TRUTH_VERSION}")
    known = _settings(settings)
    people = Customers(**_columns("customers", tables["customers"], Customers))
    them = Methods(**_columns("methods", tables["methods"], Methods))
    if people.number.size != known.customers or them.network.size != known.customers * SLOTS:
        raise InputError("truth/: customers and methods do not match settings.json; simulate the world again")
    failures = Failures(**_columns("failures", tables["failures"], Failures))
    return Truth(Hidden(landscape(known), people, them), failures)


def _settings(raw: Mapping[str, object]) -> Settings:
    def whole(field: str) -> int:
        value = raw.get(field)
        if not isinstance(value, int):
            raise InvalidValueError(f"truth/settings.json {field}", value, "a whole number")
        return value

    try:
        start = date.fromisoformat(str(raw.get("start")))
    except ValueError:
        raise InvalidValueError("truth/settings.json start", raw.get("start"), "a date such as 2025-01-01") from None
    shift = Shift(*(whole(f"shift_{field.name}") if f"shift_{field.name}" in raw else 0 for field in fields(Shift)))
    return Settings(whole("seed"), start, whole("months"), whole("customers"), shift)


def _table(values: Customers | Methods | Failures) -> pa.Table:
    return pa.table({f.name: getattr(values, f.name) for f in fields(values)})


def _columns(name: str, table: pa.Table, kind: type[Customers | Methods | Failures]) -> dict[str, np.ndarray]:
    missing = {f.name for f in fields(kind)} - set(table.column_names)
    if missing:
        raise InputError(f"truth/{name}.parquet: column {min(missing)} is missing; simulate the world again")
    return {f.name: table[f.name].to_numpy() for f in fields(kind)}
