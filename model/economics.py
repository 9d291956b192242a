"""What a recovery is worth and what an attempt costs: one set of figures with units, from one file."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from features.errors import InvalidValueError
from features.money import Money, minor_digits
from features.vocabulary import Rail
from model.toml_file import Checked, Path, is_currency, overlaid, parsed

DEFAULT_FEES = "default"


@dataclass(frozen=True, slots=True)
class Fee:
    """A fixed sum plus a share of the amount."""

    fixed: Money
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class ProcessorFees:
    """What one processor takes for an attempt, by its outcome."""

    approved: Fee
    declined: Fee


@dataclass(frozen=True, slots=True)
class Exchange:
    """Rough rates to weigh a fee in one currency against an amount in another.

    Args:
        per_base: Units of each currency for one unit of `base`.
    """

    base: str
    as_of: date
    per_base: Mapping[str, float]

    def minor_units(self, money: Money, currency: str) -> float:
        """The money in minor units of another currency, not rounded.

        Raises:
            InvalidValueError: A currency has no rate.
        """
        if money.currency == currency or money.amount_minor == 0:
            return float(money.amount_minor)
        rate = self._rate(currency) / self._rate(money.currency)
        return money.amount_minor * rate * 10.0 ** (minor_digits(currency) - minor_digits(money.currency))

    def _rate(self, currency: str) -> float:
        if currency == self.base:
            return 1.0
        try:
            return self.per_base[currency]
        except KeyError:
            expected = "a currency with a rate: add it to [exchange.per_base] of the economics file"
            raise InvalidValueError("currency", currency, expected) from None


@dataclass(frozen=True, slots=True)
class Economics:
    """The merchant's view of value and cost.

    Args:
        margin: Share of the amount that is kept, in [0, 1].
        later_invoices: Further invoices of the same size that a recovery keeps alive.
        half_life_days: Days after which half of the customers with an open payment have left.
        delay_per_day: Cost of a day of waiting as a share of the amount.
        harm: What one more declined attempt costs besides fees, per rail.
        decline_price: What a declined attempt costs through the merchant's share of declines, which networks watch.
        caution: Standard errors by which the log-odds are lowered for planning; reported chances are not.
        max_retries: Most retries of one payment after its first failure.
        fees: Per processor name; `default` holds for the rest.
        version: Short hash of all figures.
    """

    margin: float
    later_invoices: float
    half_life_days: float
    delay_per_day: float
    harm: Mapping[Rail, Money]
    decline_price: Money
    caution: float
    max_retries: int
    fees: Mapping[str, ProcessorFees]
    exchange: Exchange
    version: str

    @classmethod
    def default(cls) -> "Economics":
        """The figures that hold where the merchant has not stated any."""
        return _default()

    @classmethod
    def from_toml(cls, text: str, source: str = "economics") -> "Economics":
        """The default figures with a merchant's file laid over them.

        Args:
            text: TOML with any of the keys of `model/data/economics.toml`.
            source: What to call the file in messages.

        Raises:
            InputError: Not TOML, or some values are not what they should be; names every faulty key.
        """
        return _build(Checked(overlaid(parsed(_default_text(), "default economics"), parsed(text, source)), source))

    def fees_of(self, processor: str) -> ProcessorFees:
        """What that processor takes, or the default."""
        return self.fees.get(processor) or self.fees[DEFAULT_FEES]

    def harm_on(self, rail: Rail) -> Money:
        """What one more decline costs on that rail besides fees."""
        return self.harm[rail]


@cache
def _default() -> Economics:
    return _build(Checked(parsed(_default_text(), "default economics"), "default economics"))


def _default_text() -> str:
    return (files("model") / "data" / "economics.toml").read_text(encoding="utf-8")


def _build(checked: Checked) -> Economics:
    checked.only_keys((), {"value", "harm", "planning", "fees", "exchange"})
    checked.only_keys(("value",), {"margin", "later_invoices", "half_life_days", "delay_per_day"})
    checked.only_keys(("harm",), {str(rail) for rail in Rail})
    checked.only_keys(("planning",), {"decline_price", "caution", "max_retries"})
    checked.only_keys(("exchange",), {"base", "as_of", "per_base"})
    built = Economics(
        margin=checked.number(("value", "margin"), 0.0, 1.0),
        later_invoices=checked.number(("value", "later_invoices"), 0.0, 120.0),
        half_life_days=checked.number(("value", "half_life_days"), 0.01, 36_500.0),
        delay_per_day=checked.number(("value", "delay_per_day"), 0.0, 1.0),
        harm={rail: checked.money(("harm", rail)) for rail in Rail},
        decline_price=checked.money(("planning", "decline_price")),
        caution=checked.number(("planning", "caution"), 0.0, 3.0),
        max_retries=checked.whole(("planning", "max_retries"), 0, 1000),
        fees={name: _processor_fees(checked, name) for name in checked.keys(("fees",))},
        exchange=Exchange(
            base=checked.currency(("exchange", "base")),
            as_of=checked.day(("exchange", "as_of")),
            per_base={code: _rate(checked, code) for code in checked.keys(("exchange", "per_base"))},
        ),
        version=checked.digest(),
    )
    checked.finish()
    return built


def _rate(checked: Checked, code: str) -> float:
    path = ("exchange", "per_base", code)
    if not is_currency(code):
        checked.fault(path, code, "an ISO 4217 code in capitals as key")
    return checked.number(path, 1e-9, 1e9)


def _processor_fees(checked: Checked, name: str) -> ProcessorFees:
    checked.only_keys(("fees", name), {"approved", "declined"})
    return ProcessorFees(
        approved=_fee(checked, ("fees", name, "approved")), declined=_fee(checked, ("fees", name, "declined"))
    )


def _fee(checked: Checked, path: Path) -> Fee:
    if not checked.is_table(path):
        return Fee(checked.money(path))
    checked.only_keys(path, {"fixed", "share"})
    share = checked.number((*path, "share"), 0.0, 1.0) if "share" in checked.keys(path) else 0.0
    return Fee(checked.money((*path, "fixed")), share)
