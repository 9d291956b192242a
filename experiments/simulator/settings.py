"""What a simulated world is made from: a seed, a start, a length and a number of customers."""

from dataclasses import dataclass
from datetime import date

from features.calendars import to_day
from features.errors import InvalidValueError

MAX_MONTHS = 120
MAX_CUSTOMERS = 9_999_999
MAX_PAYDAY_SHIFT = 15
DAYS_BEFORE = 62  # calendars reach back far enough for the payday before the first attempt
DAYS_AFTER = 150  # and forward past the last retry of the last payment
TRUTH_VERSION = 1


@dataclass(frozen=True, slots=True)
class Shift:
    """How a world differs from the one of the same seed: what changes when a model is taken elsewhere, or time goes on.

    Args:
        issuers: Issuers have the habits and outages of a world with this much added to its seed; their customers stay.
        paydays: Every payday falls so many days later.
        outage_month: Month of billing (1 is the first) in which issuers are down ten times as often; 0 for none.

    Raises:
        InvalidValueError: A value is out of range.
    """

    issuers: int = 0
    paydays: int = 0
    outage_month: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.paydays <= MAX_PAYDAY_SHIFT:
            raise InvalidValueError("paydays", self.paydays, f"0 to {MAX_PAYDAY_SHIFT} days")
        if not 0 <= self.outage_month <= MAX_MONTHS:
            raise InvalidValueError("outage_month", self.outage_month, f"0 to {MAX_MONTHS}")


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole input of a world: the same settings give the same world, byte for byte.

    Args:
        seed: Any whole number.
        start: First day of billing; the first of a month.
        months: How many months are billed.
        customers: How many customers there are.
        shift: How the world differs from the one of the same seed.

    Raises:
        InvalidValueError: A value is out of range.
    """

    seed: int
    start: date
    months: int
    customers: int
    shift: Shift = Shift()

    def __post_init__(self) -> None:
        if not 1 <= self.months <= MAX_MONTHS:
            raise InvalidValueError("months", self.months, f"1 to {MAX_MONTHS}")
        if not 1 <= self.customers <= MAX_CUSTOMERS:
            raise InvalidValueError("customers", self.customers, f"1 to {MAX_CUSTOMERS:,}")
        if not date(2000, 1, 1) <= self.start <= date(2090, 1, 1):
            raise InvalidValueError("start", self.start.isoformat(), "a day from 2000-01-01 to 2090-01-01")
        if self.start.day != 1:
            raise InvalidValueError("start", self.start.isoformat(), "the first day of a month")

    @property
    def first_day(self) -> int:
        """Day number of the first day of billing."""
        return to_day(self.start)

    def month_day(self, month: int) -> int:
        """Day number of the first day of the n-th month of billing (0 is the first)."""
        index = self.start.year * 12 + self.start.month - 1 + month
        return to_day(date(index // 12, index % 12 + 1, 1))

    @property
    def last_day(self) -> int:
        """Day number of the last day of billing."""
        return self.month_day(self.months) - 1

    @property
    def calendar_first(self) -> int:
        """Day number at which the world's calendars begin."""
        return self.first_day - DAYS_BEFORE

    @property
    def calendar_days(self) -> int:
        """How many days the world's calendars cover."""
        return self.last_day + DAYS_AFTER - self.calendar_first + 1
