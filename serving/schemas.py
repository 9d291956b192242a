"""The shapes of the HTTP interface: what a request may hold and what an answer looks like.

Requests are strict: a number is not text, text is not a number, and a field nobody knows is refused. Where a
field may be absent it may as well be null.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from features.card_number import is_bin
from features.countries import is_country
from features.errors import InvalidValueError
from features.money import minor_digits
from features.time_zones import is_zone
from features.vocabulary import Credential, Funding, Initiator, Network, Outcome, Precision, Rail

CUSTOM = "recoup"
_DAY = len("2026-11-23")
# Electronic payments and calendars as we know them; everything computed from an instant stays representable.
_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _checked(check: Callable[[str], bool], expected: str) -> AfterValidator:
    def validate(text: str) -> str:
        if not check(text):
            raise PydanticCustomError(CUSTOM, "{expected}", {"expected": expected})
        return text

    return AfterValidator(validate)


def _is_currency(code: str) -> bool:
    try:
        minor_digits(code)
    except InvalidValueError:
        return False
    return True


@lru_cache(maxsize=4_096)
def _is_time_zone(name: str) -> bool:
    return is_zone(name)


def _written(given: object) -> object:
    """Refuse numbers, digits as text among them: they would be taken for seconds since 1970, or milliseconds."""
    if not isinstance(given, datetime) and not (isinstance(given, str) and given[4:5] == "-" and len(given) > _DAY):
        raise PydanticCustomError(CUSTOM, "{expected}", {"expected": "an instant such as 2026-11-23T10:15:00Z"})
    return given


def _within_reach(instant: datetime) -> datetime:
    if not _EARLIEST <= instant < _LATEST:
        raise PydanticCustomError(CUSTOM, "{expected}", {"expected": "an instant from 1990 to 2199"})
    return instant


Instant = Annotated[
    AwareDatetime,
    Field(strict=False),  # for what a function has looked at counts as Python's, of which only a datetime would do
    BeforeValidator(_written),
    AfterValidator(_within_reach),
]
_Storable = _checked(lambda text: "\0" not in text, "text without a NUL character, which no database keeps")
Text = Annotated[str, Field(min_length=1, max_length=200), _Storable]
CodeText = Annotated[str, Field(max_length=200), _Storable]
Currency = Annotated[
    Text, _checked(_is_currency, "an ISO 4217 code in capitals, for example EUR"), Field(examples=["EUR"])
]
Country = Annotated[
    Text,
    _checked(is_country, "an ISO 3166-1 alpha-2 code in capitals, for example DE or GB"),
    Field(examples=["DE"]),
]
TimeZone = Annotated[
    Text, _checked(_is_time_zone, "an IANA time zone, for example Europe/Berlin"), Field(examples=["Europe/Berlin"])
]
Bin = Annotated[
    Text,
    _checked(is_bin, "the first six to eight digits of the card, for example 41111111"),
    Field(examples=["41111111"]),
]
AmountMinor = Annotated[int, Field(gt=0, le=10**15)]


class Shape(BaseModel):
    """What all shapes share: strict, closed and frozen."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PaymentIn(Shape):
    """The obligation that the attempts try to collect."""

    payment_id: Text = Field(description="identifies the obligation")
    merchant_id: Text = Field(description="who is owed")
    customer_id: Text = Field(description="who owes; a token of yours, never a name")
    amount_minor: AmountMinor = Field(description="amount in minor units (cents, pence; whole yen)")
    currency: Currency = Field(description="ISO 4217 in capitals")
    due_at: Instant = Field(description="when it first fell due")
    recover_by: Instant | None = Field(
        default=None, description="retries stop after this instant; 60 days after due_at when absent"
    )
    market: Text | None = Field(default=None, description="your own market label, usually the country")
    merchant_country: Country | None = Field(default=None, description="where you are acquired")
    purpose: Text | None = Field(default=None, description="what the payment is for, such as subscription")


class IssuerIn(Shape):
    """The bank that answers."""

    issuer_id: Text | None = Field(default=None, description="the issuing bank as your data names it")
    country: Country | None = Field(default=None, description="ISO 3166-1 alpha-2 of the issuer")
    time_zone: TimeZone | None = Field(
        default=None, description="IANA zone of the issuer; else the country's main zone"
    )
    bin: Bin | None = Field(default=None, description="first six to eight digits of the card; never more")


class MethodIn(Shape):
    """One stored instrument, by token; never a card number."""

    method_id: Text = Field(description="token of the stored instrument")
    rail: Rail = Field(description="how money moves")
    network: Network | None = Field(default=None, description="whose rules govern an attempt; unknown when absent")
    issuer: IssuerIn | None = Field(default=None, description="the bank that answers")
    funding: Funding | None = Field(default=None, description="where a card's money comes from; unknown when absent")
    credential: Credential | None = Field(
        default=None, description="form of the stored credential; unknown when absent"
    )
    expires_on: date | None = Field(default=None, description="last day the credential is valid")
    mandate_id: Text | None = Field(default=None, description="mandate of a debit or e-mandate")
    consented: bool | None = Field(
        default=None, description="whether the customer allows this method for this payment; true when absent"
    )
    processors: tuple[Text, ...] | None = Field(
        default=None, max_length=20, description="processors that can charge it; those that attempted it when absent"
    )


class AttemptIn(Shape):
    """One attempt, in the words of the history format."""

    attempt_id: Text = Field(description="identifies the attempt")
    method_id: Text = Field(description="one of the listed methods")
    processor: Text = Field(description="who carried the attempt")
    attempted_at: Instant = Field(description="when it was made; not after as_of")
    outcome: Outcome = Field(description="what came of it")
    outcome_at: Instant | None = Field(default=None, description="when the outcome became known; else attempted_at")
    payment_id: Text | None = Field(default=None, description="the payment it belonged to; this payment when absent")
    amount_minor: AmountMinor | None = Field(default=None, description="its amount; this payment's when absent")
    currency: Currency | None = Field(default=None, description="its currency; this payment's when absent")
    initiator: Initiator | None = Field(default=None, description="who started it; merchant when absent")
    precision: Precision | None = Field(
        default=None, description="day where only the date is known; instant when absent"
    )
    three_d_secure: bool | None = Field(default=None, description="whether the payer was authenticated")
    expires_on: date | None = Field(
        default=None, description="last day the credential was valid as it was on file then; the method's when absent"
    )
    credential: Credential | None = Field(
        default=None, description="form of the credential at this attempt; the method's when absent"
    )
    code: CodeText | None = Field(default=None, description="raw decline code or text as it came")
    subcode: CodeText | None = Field(default=None, description="second raw code that came with it")
    advice_code: CodeText | None = Field(default=None, description="Mastercard merchant advice code")
    text: CodeText | None = Field(default=None, description="the sender's message, read where the code says nothing")


class DecisionRequest(Shape):
    """A failed payment, its methods on file and its attempts so far."""

    payment: PaymentIn = Field(description="the obligation that failed to be collected")
    methods: tuple[MethodIn, ...] = Field(min_length=1, max_length=20, description="every stored method on file")
    attempts: tuple[AttemptIn, ...] = Field(
        min_length=1, max_length=2_000, description="this payment's attempts, and earlier ones of the customer"
    )
    customer_since: date | None = Field(default=None, description="day the customer joined")
    history_known: bool | None = Field(
        default=None, description="true when attempts holds every attempt of the customer; false when absent"
    )
    as_of: Instant | None = Field(default=None, description="decide as of this instant; now when absent")
    reserve: bool | None = Field(
        default=None,
        description="true holds a place in every counter for the retry that is decided; needs the ledger and no as_of",
    )
    within_ms: Annotated[int, Field(ge=1, le=60_000)] | None = Field(
        default=None,
        description="answer within so many milliseconds, by a simpler policy if need be; the service's own time, which "
        "it never exceeds, when absent",
    )
