"""Everything in a world that is not about one customer: clocks, banks, processors, outages, pay calendars."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.simulator.codes import codebook, vocabulary_of
from experiments.simulator.issuers import Issuers, issuers
from experiments.simulator.markets import markets, processors
from experiments.simulator.outages import outages
from experiments.simulator.paydays import PayCalendars, pay_calendars
from experiments.simulator.settings import Settings
from features.calendars import calendar_of, is_banking_day
from features.instants import MICROS_PER_HOUR
from features.time_zones import local_micros
from features.vocabulary import Network, Rail

Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]

NETWORKS = tuple(Network)
DEBITS = (Network.ACH, Network.SEPA_CORE, Network.BACS)
RAILS = (Rail.CARD, Rail.BANK_DEBIT)
_ISSUERS, _PROCESSORS = 0, 1
_PROCESSOR_OUTAGES_A_DAY = 0.010


@dataclass(frozen=True, slots=True)
class Landscape:
    """The shared stage of a world, drawn from its settings.

    Args:
        offsets: Offset from UTC in microseconds by zone and hour of the calendar, shape (zones, hours).
        first_hour: UTC hour number (since 1970) of column 0 of every table by hour.
        issuer_down: Shape (issuers, hours).
        processor_down: Shape (processors, hours).
        carries: Whether a processor carries a network in a market, shape (processors, markets, networks).
        vocabulary: Codebook vocabulary that a processor answers in for a network, shape (processors, networks).
        is_debit: By network, shape (networks,).
        banking: Whether the bank calendar of a market's debit scheme is open, shape (markets, days).
        banking_days: Day numbers of those open days, one sorted array a market.
        return_days: Banking days until a debit's outcome is known, by market, shape (markets,).
    """

    settings: Settings
    issuers: Issuers
    paydays: PayCalendars
    offsets: Int64s
    first_hour: int
    issuer_down: Flags
    processor_down: Flags
    carries: Flags
    vocabulary: Int64s
    is_debit: Flags
    banking: Flags
    banking_days: tuple[Int64s, ...]
    return_days: Int64s

    def local(self, zone: Int64s, micros: Int64s) -> Int64s:
        """Wall clock of the zones at UTC instants, as microseconds since 1970-01-01 00:00 local."""
        return micros + self.offsets[zone, self.hour_column(micros // MICROS_PER_HOUR)]

    def utc(self, zone: Int64s, local: Int64s) -> Int64s:
        """The UTC instant at which the zones' wall clocks show `local`; a skipped hour moves forward."""
        guess = local - self.offsets[zone, self.hour_column(local // MICROS_PER_HOUR)]
        return local - self.offsets[zone, self.hour_column(guess // MICROS_PER_HOUR)]

    def hour_column(self, hour: Int64s) -> Int64s:
        """Columns of the tables by hour; instants outside the calendar take its nearest hour."""
        return np.clip(hour - self.first_hour, 0, self.offsets.shape[1] - 1)

    def day_column(self, day: Int64s) -> Int64s:
        """Columns of the tables by day; days outside the calendar take its nearest day."""
        return np.clip(day - self.paydays.first_day, 0, self.paydays.latest.shape[1] - 1)


def landscape(settings: Settings) -> Landscape:
    """Draw the stage of a world."""
    banks = issuers(settings.seed + settings.shift.issuers)
    first_hour = settings.calendar_first * 24
    hours = np.arange(settings.calendar_days * 24, dtype=np.int64) + first_hour
    days = np.arange(settings.calendar_days, dtype=np.int64) + settings.calendar_first
    banking = np.array([is_banking_day(_debit_calendar(index), days) for index in range(len(markets()))])
    return Landscape(
        settings=settings,
        issuers=banks,
        paydays=pay_calendars(settings),
        offsets=np.array(
            [local_micros(zone, hours * MICROS_PER_HOUR) - hours * MICROS_PER_HOUR for zone in banks.zones]
        ),
        first_hour=first_hour,
        issuer_down=outages(settings, _ISSUERS, banks.frailty),
        processor_down=outages(settings, _PROCESSORS, np.full(len(processors()), _PROCESSOR_OUTAGES_A_DAY)),
        carries=_carries(),
        vocabulary=_vocabulary(),
        is_debit=np.array([network in DEBITS for network in NETWORKS]),
        banking=banking,
        banking_days=tuple(days[row] for row in banking),
        return_days=np.array([market.debit.banking_days if market.debit else 0 for market in markets()]),
    )


def _debit_calendar(index: int) -> str:
    market = markets()[index]
    return calendar_of(market.country, market.debit.network if market.debit else Network.UNKNOWN)


def _carries() -> Flags:
    return np.array(
        [
            [
                [market.country in processor.markets and network in processor.networks for network in NETWORKS]
                for market in markets()
            ]
            for processor in processors()
        ]
    )


def _vocabulary() -> Int64s:
    names = codebook().vocabularies
    return np.array(
        [
            [
                names.index(
                    "stripe" if processor.words == "stripe" and network not in DEBITS else vocabulary_of(network)
                )
                for network in NETWORKS
            ]
            for processor in processors()
        ]
    )
