"""The shapes of what is told to the ledger over HTTP."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from features.vocabulary import Credential, Initiator, Network, Outcome, Precision, Rail
from model.caps.rule import FixKind
from serving.schemas import CUSTOM, AmountMinor, CodeText, Country, Currency, Instant, Shape, Text

MOST_REPORTS = 1_000


def _printable(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError(CUSTOM, "{expected}", {"expected": "printable characters"})
    return text


Id = Annotated[Text, AfterValidator(_printable)]
Code = Annotated[CodeText, AfterValidator(_printable)]


class Reporter(StrEnum):
    """Who tells it."""

    WEBHOOK = "webhook"
    REPORTED = "reported"


class ReportKind(StrEnum):
    """What is told of an attempt."""

    REPORTED = "reported"
    CORRECTED = "corrected"
    REVERSED = "reversed"
    WITHDRAWN = "withdrawn"


class PaymentEventKind(StrEnum):
    """What is told of a payment or of one of its methods."""

    PAID = "payment_paid"
    CANCELLED = "payment_cancelled"
    REOPENED = "payment_reopened"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CONSENT_GIVEN = "consent_given"
    METHOD_FIXED = "method_fixed"
    OPTED_OUT = "payment_opted_out"
    OPTED_IN = "payment_opted_in"


class ReportedMethod(Shape):
    """The instrument that was charged, as far as limits count by it; never a card number."""

    method_id: Id = Field(description="token of the stored instrument")
    rail: Rail = Field(description="how money moves")
    network: Network | None = Field(default=None, description="whose rules govern the attempt; unknown when absent")
    credential: Credential | None = Field(
        default=None, description="form of the stored credential; unknown when absent"
    )
    issuer_country: Country | None = Field(default=None, description="ISO 3166-1 alpha-2 of the issuer")
    mandate_id: Id | None = Field(default=None, description="mandate of a debit or e-mandate")


class ReportedAttempt(Shape):
    """One attempt, wherever it was made and whoever started it."""

    payment_id: Id = Field(description="the payment it was for")
    customer_id: Id = Field(description="who owes; a token of yours, never a name")
    method: ReportedMethod = Field(description="the instrument that was charged")
    processor: Id = Field(description="who carried it")
    amount_minor: AmountMinor = Field(description="amount in minor units (cents, pence; whole yen)")
    currency: Currency = Field(description="ISO 4217 in capitals")
    attempted_at: Instant = Field(description="when it was made")
    outcome: Outcome = Field(description="what came of it; unknown while it is pending")
    outcome_at: Instant | None = Field(default=None, description="when the outcome became known; else attempted_at")
    initiator: Initiator | None = Field(default=None, description="who started it; merchant when absent")
    precision: Precision | None = Field(
        default=None, description="day where only the date is known; instant when absent"
    )
    market: Id | None = Field(default=None, description="your own market label, usually the country")
    merchant_country: Country | None = Field(default=None, description="where you are acquired")
    code: Code | None = Field(default=None, description="raw decline code or text as it came")
    subcode: Code | None = Field(default=None, description="second raw code that came with it")
    advice_code: Code | None = Field(default=None, description="Mastercard merchant advice code")
    text: CodeText | None = Field(default=None, description="the sender's message, read where the code says nothing")


class ReportedReturn(Shape):
    """Why a debit that had been taken came back."""

    processor: Id = Field(description="who tells it")
    network: Network = Field(description="whose code it is, such as sepa_core or ach")
    code: Code | None = Field(default=None, description="raw return code as it came")
    subcode: Code | None = Field(default=None, description="second raw code that came with it")
    text: CodeText | None = Field(default=None, description="the sender's message, read where the code says nothing")


class AttemptReport(Shape):
    """One thing told about one attempt."""

    merchant_id: Id = Field(description="whose attempt it is")
    event_id: Id = Field(description="the source's own id of what it tells; told twice under one id it counts once")
    attempt_id: Id = Field(description="identifies the attempt; the same attempt has one id whoever tells of it")
    kind: ReportKind | None = Field(
        default=None,
        description="reported (when absent); corrected: what an earlier report had wrong; reversed: a debit that was "
        "taken came back; withdrawn: told by mistake, it never took place",
    )
    source: Reporter | None = Field(default=None, description="webhook, or reported (when absent): by you or by hand")
    attempt: ReportedAttempt | None = Field(default=None, description="the attempt; for reported and corrected")
    returned: ReportedReturn | None = Field(default=None, description="why it came back; for reversed")
    told_at: Instant | None = Field(
        default=None, description="when it came back or was found wrong; for the kinds other than reported"
    )
    reservation_id: Id | None = Field(
        default=None, description="the reservation that the attempt used; it is settled with it. For reported only"
    )


class SettledAttempt(Shape):
    """The attempt that a reservation was held for."""

    attempt_id: Id = Field(description="identifies the attempt")
    attempted_at: Instant = Field(description="when it was made")
    outcome: Outcome = Field(description="what came of it; unknown while it is pending, and settle again when known")
    outcome_at: Instant | None = Field(default=None, description="when the outcome became known; else attempted_at")
    processor: Id | None = Field(default=None, description="who carried it; the reserved processor when absent")
    code: Code | None = Field(default=None, description="raw decline code or text as it came")
    subcode: Code | None = Field(default=None, description="second raw code that came with it")
    advice_code: Code | None = Field(default=None, description="Mastercard merchant advice code")
    text: CodeText | None = Field(default=None, description="the sender's message, read where the code says nothing")


class CheckRequest(Shape):
    """Ask whether the reserved attempt may be made now."""

    merchant_id: Id = Field(description="whose reservation it is")


class SettleRequest(Shape):
    """The reserved attempt was made."""

    merchant_id: Id = Field(description="whose reservation it is")
    attempt: SettledAttempt = Field(description="the attempt")


class ReleaseRequest(Shape):
    """The reserved attempt will not be made."""

    merchant_id: Id = Field(description="whose reservation it is")
    reason: Id | None = Field(default=None, description="why, in your words")


class PaymentEvent(Shape):
    """Where a payment, a consent or a method stands."""

    merchant_id: Id = Field(description="whose payment it is")
    event_id: Id = Field(description="the source's own id of what it tells; told twice under one id it counts once")
    kind: PaymentEventKind = Field(description="what happened")
    method_id: Id | None = Field(default=None, description="the method, for what is told of a consent or a method")
    fix: FixKind | None = Field(
        default=None,
        description="for method_fixed, what was mended: details (when absent) such as number, expiry or account; "
        "authorization, a new one of the payer for this payment; settled, cleared up with the payer or the bank; "
        "authentication, the payer took part",
    )
    reason: Id | None = Field(
        default=None, description="for payment_opted_out and payment_opted_in, why, in your words; it is repeated"
    )
    source: Reporter | None = Field(default=None, description="webhook, or reported (when absent): by you or by hand")
    happened_at: Instant = Field(description="when it became so, by the source's own clock")
