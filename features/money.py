"""Money as integer minor units with an ISO 4217 currency."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache

from iso4217 import Currency

from features.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the currency's minor unit (cents, pence; whole yen).

    Raises:
        InvalidValueError: The currency is not an ISO 4217 code, or the amount is not a whole number.
    """

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        minor_digits(self.currency)
        if type(self.amount_minor) is not int:
            raise InvalidValueError("amount_minor", self.amount_minor, "a whole number of minor units")

    def __str__(self) -> str:
        """For people: `12.50 EUR`."""
        digits = minor_digits(self.currency)
        whole, rest = divmod(abs(self.amount_minor), 10**digits)
        part = f".{rest:0{digits}d}" if digits else ""
        return f"{'-' if self.amount_minor < 0 else ''}{whole:,d}{part} {self.currency}"

    @property
    def major(self) -> Decimal:
        """The amount in major units (euro, pound), exactly."""
        return Decimal(self.amount_minor).scaleb(-minor_digits(self.currency))


# Withdrawn from ISO 4217 since 2014 (its list three); histories hold them.
_WITHDRAWN = {
    **dict.fromkeys(("ANG", "BGN", "CUC", "HRK", "LTL", "LVL", "MRO", "SLL", "STD", "VEF", "ZMK", "ZWL"), 2),
    "BYR": 0,
}


@cache
def minor_digits(currency: str) -> int:
    """How many digits the minor unit has (ISO 4217): 2 for EUR, 0 for JPY, 3 for KWD; withdrawn ones are known too.

    Raises:
        InvalidValueError: Not an ISO 4217 code of money (upper-case, three letters).
    """
    try:
        digits = Currency(currency).exponent
    except ValueError:
        digits = _WITHDRAWN.get(currency)
    if digits is None:
        raise InvalidValueError("currency", currency, "an ISO 4217 code in capitals, for example EUR")
    return digits


def from_major(text: str, currency: str) -> Money:
    """Parse an amount in major units without rounding.

    >>> from_major("12.5", "EUR").amount_minor, from_major("500", "JPY").amount_minor
    (1250, 500)

    Raises:
        InvalidValueError: Not a plain decimal number, or finer than the currency's minor unit.
    """
    digits = minor_digits(currency)
    try:
        minor = Decimal(text.strip()).scaleb(digits)
    except InvalidOperation:
        raise InvalidValueError("amount", text, "a plain decimal number such as 1234.50") from None
    if not minor.is_finite() or minor != minor.to_integral_value():
        raise InvalidValueError("amount", text, f"at most {digits} decimals for {currency}")
    return Money(int(minor), currency)
