"""The simulated markets and processors as read from data/markets.toml and data/processors.toml."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from features.errors import InputError
from features.markets import WEEKDAYS, Adjust, PaydayRule
from features.vocabulary import Network

Words = Literal["stripe", "network"]


@dataclass(frozen=True, slots=True)
class PaydayCustom:
    """How a share of a market's people are paid: one rule or several a month, or any day of the month.

    Args:
        every: 2 for a weekday of every second week.
        any_day: People are spread over the days 1 to 28; `rules` is empty then.
    """

    weight: float
    rules: tuple[PaydayRule, ...]
    every: int = 1
    any_day: bool = False


@dataclass(frozen=True, slots=True)
class DebitScheme:
    """A market's bank-debit scheme: returns arrive after so many banking days."""

    network: Network
    banking_days: int
    share: float


@dataclass(frozen=True, slots=True)
class SimulatedMarket:
    """One market; the meaning of each value stands in data/markets.toml."""

    country: str
    share: float
    currency: str
    cents: float
    zones: dict[str, float]
    prices: tuple[int, ...]
    issuers: int
    networks: dict[Network, float]
    debit: DebitScheme | None
    credit: float
    tokens: float
    paydays: tuple[PaydayCustom, ...]
    salary_hours: tuple[int, int]
    step_up: float


@dataclass(frozen=True, slots=True)
class Processor:
    """One processor; the meaning of each value stands in data/processors.toml."""

    name: str
    words: Words
    networks: tuple[Network, ...]
    markets: tuple[str, ...]
    attempt_cents: float
    success_cents: float
    success_bps: float


Table = dict[str, object]


@cache
def markets() -> tuple[SimulatedMarket, ...]:
    """The markets in the order of their file."""
    return tuple(_market(country, table) for country, table in _read("markets.toml").items())


@cache
def processors() -> tuple[Processor, ...]:
    """The processors in the order of their file."""
    return tuple(_processor(name, table) for name, table in _read("processors.toml").items())


def _market(country: str, table: Table) -> SimulatedMarket:
    early, late = _numbers(table["salary_hours"])
    return SimulatedMarket(
        country=country,
        share=_number(table["share"]),
        currency=str(table["currency"]),
        cents=_number(table["cents"]),
        zones=_weights(table["zones"]),
        prices=tuple(int(price) for price in _numbers(table["prices"])),
        issuers=int(_number(table["issuers"])),
        networks={Network(name): weight for name, weight in _weights(table["networks"]).items()},
        debit=_debit(table["debit"]) if "debit" in table else None,
        credit=_number(table["credit"]),
        tokens=_number(table["tokens"]),
        paydays=tuple(_custom(rule) for rule in _list(table["paydays"])),
        salary_hours=(int(early), int(late)),
        step_up=_number(table["step_up"]),
    )


def _processor(name: str, table: Table) -> Processor:
    words: Words = "stripe" if table["words"] == "stripe" else "network"
    return Processor(
        name=name,
        words=words,
        networks=tuple(Network(str(network)) for network in _list(table["networks"])),
        markets=tuple(str(country) for country in _list(table["markets"])),
        attempt_cents=_number(table["attempt_cents"]),
        success_cents=_number(table["success_cents"]),
        success_bps=_number(table["success_bps"]),
    )


def _debit(raw: object) -> DebitScheme:
    table = _table(raw)
    return DebitScheme(Network(str(table["network"])), int(_number(table["banking_days"])), _number(table["share"]))


def _custom(raw: object) -> PaydayCustom:
    table = _table(raw)
    adjust: Adjust = "after" if table.get("adjust") == "after" else "before"
    rules = [PaydayRule(day=int(day), adjust=adjust) for day in _numbers(table.get("days", []))]
    if "working_day" in table:
        rules.append(PaydayRule(working_day=int(_number(table["working_day"])), adjust=adjust))
    if "weekday" in table:
        rules.append(PaydayRule(weekday=WEEKDAYS.index(str(table["weekday"])), adjust=adjust))
    every = int(_number(table.get("every", 1)))
    return PaydayCustom(_number(table["weight"]), tuple(rules), every, any_day=table.get("any_day") is True)


def _read(name: str) -> dict[str, Table]:
    raw = tomllib.loads((files("experiments.simulator") / "data" / name).read_text(encoding="utf-8"))
    return {key: _table(value) for key, value in raw.items()}


def _table(raw: object) -> Table:
    if not isinstance(raw, dict):
        raise InputError(f"simulator data: expected a table, found {raw!r}")
    return {str(key): value for key, value in raw.items()}


def _list(raw: object) -> list[object]:
    if not isinstance(raw, list):
        raise InputError(f"simulator data: expected a list, found {raw!r}")
    return list(raw)


def _number(raw: object) -> float:
    if not isinstance(raw, int | float):
        raise InputError(f"simulator data: expected a number, found {raw!r}")
    return float(raw)


def _numbers(raw: object) -> list[float]:
    return [_number(value) for value in _list(raw)]


def _weights(raw: object) -> dict[str, float]:
    return {name: _number(weight) for name, weight in _table(raw).items()}
