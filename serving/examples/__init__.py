"""Five telling failures as ready requests: the worked examples of the API page, the demo and the tests."""

from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Example:
    """One request; `name` is its file in this folder without `.json`."""

    name: str
    title: str
    story: str

    @property
    def body(self) -> bytes:
        """The request as it is sent."""
        return (files("serving.examples") / f"{self.name}.json").read_bytes()


EXAMPLES: tuple[Example, ...] = (
    Example(
        "insufficient-funds-before-payday",
        "Insufficient funds shortly before payday in Germany",
        "A Visa debit card is declined with 51 on a Wednesday; wages usually arrive on the last banking day, Monday.",
    ),
    Example(
        "stolen-card-second-on-file",
        "A stolen card with a second card on file",
        "A Visa card is declined with 43, stolen; the customer has allowed a Mastercard as well.",
    ),
    Example(
        "issuer-outage-friday-night",
        "An issuer outage on a Friday night in Riyadh",
        "A mada card is declined with 91, issuer unavailable, at 23:40 on Friday. The weekend there ends on Saturday; "
        "the subscription ends on Monday night unless it is paid.",
    ),
    Example(
        "sepa-debit-without-funds",
        "A SEPA debit without funds",
        "A SEPA direct debit comes back three days later with AM04, insufficient funds.",
    ),
    Example(
        "mastercard-try-in-four-days",
        "A Mastercard decline that asks to wait four days",
        "A Mastercard is declined with 51 and merchant advice code 27: try again in four days.",
    ),
)
