"""The shapes of requests and answers. Written by `recoup openapi` from docs/openapi.json: change that."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal


class Credential(StrEnum):
    """The form of the stored credential; networks count attempts per form."""

    PAN = "pan"
    NETWORK_TOKEN = "network_token"  # noqa: S105 - a word
    ACCOUNT = "account"
    UNKNOWN = "unknown"


class Initiator(StrEnum):
    """Who started an attempt; some networks count the two apart."""

    MERCHANT = "merchant"
    CUSTOMER = "customer"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """What an attempt came to. `error` never reached the issuer; `unknown` is not final yet."""

    APPROVED = "approved"
    DECLINED = "declined"
    ERROR = "error"
    UNKNOWN = "unknown"


class Precision(StrEnum):
    """How finely a time is known: exports of bank debits often carry only the day."""

    INSTANT = "instant"
    DAY = "day"


class ReportKind(StrEnum):
    """What is told of an attempt."""

    REPORTED = "reported"
    CORRECTED = "corrected"
    REVERSED = "reversed"
    WITHDRAWN = "withdrawn"


class Network(StrEnum):
    """Whose rules govern an attempt: a card network or a bank-debit or account-to-account scheme."""

    VISA = "visa"
    MASTERCARD = "mastercard"
    AMERICAN_EXPRESS = "american_express"
    DISCOVER = "discover"
    DINERS = "diners"
    JCB = "jcb"
    UNIONPAY = "unionpay"
    ELO = "elo"
    HIPERCARD = "hipercard"
    INTERAC = "interac"
    CARTES_BANCAIRES = "cartes_bancaires"
    RUPAY = "rupay"
    MADA = "mada"
    ACH = "ach"
    SEPA_CORE = "sepa_core"
    SEPA_B2B = "sepa_b2b"
    BACS = "bacs"
    PAD = "pad"
    AUTOGIRO = "autogiro"
    BETALINGSSERVICE = "betalingsservice"
    BECS_AU = "becs_au"
    BECS_NZ = "becs_nz"
    NACH = "nach"
    DOMICILIACION = "domiciliacion"
    UPI_AUTOPAY = "upi_autopay"
    PIX_AUTOMATICO = "pix_automatico"
    PAYTO = "payto"
    OPEN_BANKING = "open_banking"
    BOLETO = "boleto"
    UNKNOWN = "unknown"


class Rail(StrEnum):
    """How money moves."""

    CARD = "card"
    BANK_DEBIT = "bank_debit"
    ACCOUNT_TO_ACCOUNT = "account_to_account"
    WALLET = "wallet"
    VOUCHER = "voucher"
    UNKNOWN = "unknown"


class Reporter(StrEnum):
    """Who tells it."""

    WEBHOOK = "webhook"
    REPORTED = "reported"


class StopReason(StrEnum):
    """Why no attempt is to be made."""

    ALREADY_PAID = "already_paid"
    CANCELLED = "cancelled"
    OPTED_OUT = "opted_out"
    ON_HOLD = "on_hold"
    ATTEMPT_PENDING = "attempt_pending"
    RECOVERY_WINDOW_OVER = "recovery_window_over"
    NO_USABLE_METHOD = "no_usable_method"
    NO_SLOT_LEFT = "no_slot_left"
    NO_ALLOWED_ACTION = "no_allowed_action"
    NOT_WORTH_IT = "not_worth_it"
    RETRIES_USED_UP = "retries_used_up"
    SCHEDULE_OVER = "schedule_over"
    NO_RETRY = "no_retry"


class Topic(StrEnum):
    """What a reason is about."""

    FAILURE = "failure"
    LIMIT = "limit"
    METHOD = "method"
    PROCESSOR = "processor"
    TIMING = "timing"
    VALUE = "value"
    PLAN = "plan"
    SCORE = "score"
    STOP = "stop"
    POLICY = "policy"


class Distrust(StrEnum):
    """Why a policy was not relied upon."""

    MISSING = "missing"
    STALE = "stale"
    OUTSIDE_CALIBRATION = "outside_calibration"
    SLOW = "slow"
    BUSY = "busy"
    FAILING = "failing"


class State(StrEnum):
    """Where a reservation stands."""

    HELD = "held"
    SPENT = "spent"
    RELEASED = "released"
    EXPIRED = "expired"


class Funding(StrEnum):
    """Where a card's money comes from."""

    CREDIT = "credit"
    DEBIT = "debit"
    PREPAID = "prepaid"
    UNKNOWN = "unknown"


class Change(StrEnum):
    """What was done to an experiment."""

    STARTED = "started"
    RAMPED = "ramped"
    REWEIGHTED = "reweighted"
    STOPPED = "stopped"
    CONCLUDED = "concluded"


class ReasonCode(StrEnum):
    """Why an attempt may not be made, or not any more."""

    PAID = "paid"
    CANCELLED = "cancelled"
    OPTED_OUT = "opted_out"
    ON_HOLD = "on_hold"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    ALREADY_HELD = "already_held"
    NOT_HELD = "not_held"
    EXPIRED = "expired"
    OVER_CAP = "over_cap"
    TOO_EARLY = "too_early"
    ADVICE_EXPIRED = "advice_expired"


class CustomerEventKind(StrEnum):
    """What is told of a customer."""

    CUSTOMER_COMPLAINED = "customer_complained"
    CUSTOMER_UNSUBSCRIBED = "customer_unsubscribed"
    CUSTOMER_DISPUTED = "customer_disputed"
    CUSTOMER_LOST = "customer_lost"
    CUSTOMER_LEFT = "customer_left"
    CUSTOMER_PAID = "customer_paid"
    CUSTOMER_REFUNDED = "customer_refunded"


class Decided(StrEnum):
    """What an experiment was concluded with."""

    SHIP = "ship"
    KEEP = "keep"
    ABANDON = "abandon"


class Recomputation(StrEnum):
    """What computing a decision again came to."""

    SAME = "same"
    DIFFERS = "differs"
    MISSING = "missing"


class Method(StrEnum):
    """How its intervals may be read."""

    FIXED = "fixed"
    SEQUENTIAL = "sequential"


class Status(StrEnum):
    """Where an experiment stands."""

    DRAFT = "draft"
    RUNNING = "running"
    STOPPED = "stopped"
    CONCLUDED = "concluded"


class Unit(StrEnum):
    """What is assigned."""

    CUSTOMER = "customer"
    PAYMENT = "payment"


class FixKind(StrEnum):
    """What can lift a rule that a decline has set off."""

    DETAILS = "details"
    AUTHORIZATION = "authorization"
    SETTLED = "settled"
    AUTHENTICATION = "authentication"


class PaymentEventKind(StrEnum):
    """What is told of a payment or of one of its methods."""

    PAYMENT_PAID = "payment_paid"
    PAYMENT_CANCELLED = "payment_cancelled"
    PAYMENT_REOPENED = "payment_reopened"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CONSENT_GIVEN = "consent_given"
    METHOD_FIXED = "method_fixed"
    PAYMENT_OPTED_OUT = "payment_opted_out"
    PAYMENT_OPTED_IN = "payment_opted_in"


class Way(StrEnum):
    """How money goes back that had been taken for good; no network takes it for a decline."""

    REFUND = "refund"
    CHARGEBACK = "chargeback"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmOut:
    """How many units a variant has.

    Args:
        mature: units whose window is over
    """

    variant: str
    expected: float
    exposed: int
    mature: int
    collecting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentOut:
    """The variant of an experiment that answered.

    Args:
        key: the experiment
        propensity: probability of the variant; times action.propensity, that of the action
        tester: named in the definition; counts in no analysis
    """

    key: str
    variant: str
    propensity: float
    tester: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptIn:
    """One attempt, in the words of the history format.

    Args:
        attempt_id: identifies the attempt
        method_id: one of the listed methods
        processor: who carried the attempt
        attempted_at: when it was made; not after as_of
        outcome: what came of it
        outcome_at: when the outcome became known; else attempted_at
        payment_id: the payment it belonged to; this payment when absent
        amount_minor: its amount; this payment's when absent
        currency: its currency; this payment's when absent
        initiator: who started it; merchant when absent
        precision: day where only the date is known; instant when absent
        three_d_secure: whether the payer was authenticated
        expires_on: last day the credential was valid as it was on file then; the method's when absent
        credential: form of the credential at this attempt; the method's when absent
        code: raw decline code or text as it came
        subcode: second raw code that came with it
        advice_code: Mastercard merchant advice code
        text: the sender's message, read where the code says nothing
    """

    attempt_id: str
    method_id: str
    processor: str
    attempted_at: datetime
    outcome: Outcome
    outcome_at: datetime | None = None
    payment_id: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    initiator: Initiator | None = None
    precision: Precision | None = None
    three_d_secure: bool | None = None
    expires_on: date | None = None
    credential: Credential | None = None
    code: str | None = None
    subcode: str | None = None
    advice_code: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyOut:
    """An amount in whole minor units.

    Args:
        amount_minor: minor units: cents, pence, whole yen; negative for a loss
        currency: ISO 4217
    """

    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptOut:
    """One attempt as all that was told of it says together.

    Args:
        category: how the decline was read
    """

    attempt_id: str
    payment_id: str
    method_id: str
    processor: str
    initiator: str
    amount: MoneyOut
    attempted_at: datetime
    outcome: Outcome | str
    outcome_at: datetime
    code: str | None
    subcode: str | None
    advice_code: str | None
    category: str | None
    reservation_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedMethod:
    """The instrument that was charged, as far as limits count by it; never a card number.

    Args:
        method_id: token of the stored instrument
        rail: how money moves
        network: whose rules govern the attempt; unknown when absent
        credential: form of the stored credential; unknown when absent
        issuer_country: ISO 3166-1 alpha-2 of the issuer
        mandate_id: mandate of a debit or e-mandate
    """

    method_id: str
    rail: Rail
    network: Network | None = None
    credential: Credential | None = None
    issuer_country: str | None = None
    mandate_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedAttempt:
    """One attempt, wherever it was made and whoever started it.

    Args:
        payment_id: the payment it was for
        customer_id: who owes; a token of yours, never a name
        method: the instrument that was charged
        processor: who carried it
        amount_minor: amount in minor units (cents, pence; whole yen)
        currency: ISO 4217 in capitals
        attempted_at: when it was made
        outcome: what came of it; unknown while it is pending
        outcome_at: when the outcome became known; else attempted_at
        initiator: who started it; merchant when absent
        precision: day where only the date is known; instant when absent
        market: your own market label, usually the country
        merchant_country: where you are acquired
        code: raw decline code or text as it came
        subcode: second raw code that came with it
        advice_code: Mastercard merchant advice code
        text: the sender's message, read where the code says nothing
    """

    payment_id: str
    customer_id: str
    method: ReportedMethod
    processor: str
    amount_minor: int
    currency: str
    attempted_at: datetime
    outcome: Outcome
    outcome_at: datetime | None = None
    initiator: Initiator | None = None
    precision: Precision | None = None
    market: str | None = None
    merchant_country: str | None = None
    code: str | None = None
    subcode: str | None = None
    advice_code: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedReturn:
    """Why a debit that had been taken came back.

    Args:
        processor: who tells it
        network: whose code it is, such as sepa_core or ach
        code: raw return code as it came
        subcode: second raw code that came with it
        text: the sender's message, read where the code says nothing
    """

    processor: str
    network: Network
    code: str | None = None
    subcode: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptReport:
    """One thing told about one attempt.

    Args:
        merchant_id: whose attempt it is
        event_id: the source's own id of what it tells; told twice under one id it counts once
        attempt_id: identifies the attempt; the same attempt has one id whoever tells of it
        kind: reported (when absent); corrected: what an earlier report had wrong; reversed: a debit that was taken came
            back; withdrawn: told by mistake, it never took place
        source: webhook, or reported (when absent): by you or by hand
        attempt: the attempt; for reported and corrected
        returned: why it came back; for reversed
        told_at: when it came back or was found wrong; for the kinds other than reported
        reservation_id: the reservation that the attempt used; it is settled with it. For reported only
    """

    merchant_id: str
    event_id: str
    attempt_id: str
    kind: ReportKind | None = None
    source: Reporter | None = None
    attempt: ReportedAttempt | None = None
    returned: ReportedReturn | None = None
    told_at: datetime | None = None
    reservation_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptsPage:
    """The attempts on a method, newest first.

    Args:
        has_more: whether the list goes on
        next_cursor: send it as cursor for the next page; null at the end
    """

    has_more: bool
    next_cursor: str | None
    method_id: str
    attempts: tuple[AttemptOut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveOut:
    """The chance of one route over the horizon at the best slot of each day; all lists have the same length."""

    method_id: str
    processor: str
    start: tuple[datetime, ...]
    approved: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    allowed: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldAction:
    """Make no attempt for now; the recovery goes on when somebody lifts the stop. Ask again.

    Args:
        propensity: probability with which the policy takes this action
    """

    kind: Literal["hold"]
    reason: StopReason | str
    propensity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One rule and where this payment stands under it.

    Args:
        used: attempts counted so far; null where the rule does not count
        limit: attempts the rule allows
        left: attempts left before this one
        frees_at: when it allows the next; null with allowed false means never
        fee: what the network charges for the attempt
    """

    rule_id: str
    allowed: bool
    used: int | None
    limit: int | None
    left: int | None
    frees_at: datetime | None
    fee: MoneyOut | None
    sentence: str
    source: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Probability:
    """Calibrated probability of approval with its 90 % interval."""

    approved: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When to make the attempt: from start until before end.

    Args:
        start: UTC
        end: UTC
        start_local: start on the issuer's clock
        end_local: end on the issuer's clock
        time_zone: the issuer's IANA zone
    """

    start: datetime
    end: datetime
    start_local: datetime
    end_local: datetime
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRetry:
    """A retry that was allowed and not chosen.

    Args:
        plan_value: what the best plan that starts with it is worth; compare with plan.value
    """

    window: Window
    method_id: str
    processor: str
    probability: Probability
    expected_net_value: MoneyOut
    plan_value: MoneyOut
    why_not: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRetry:
    """One attempt of the plan; it is made only if every attempt before it was declined.

    Args:
        probability: if every attempt before it was declined
        reached: probability that it is made at all
        expected_net_value: what it is worth by itself once it is made
    """

    window: Window
    method_id: str
    processor: str
    probability: Probability
    reached: float
    expected_net_value: MoneyOut


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOut:
    """What is planned to the horizon, as things stand; ask again after every attempt and it is made anew.

    Args:
        attempts: in order of time; empty for a stop
        expected_attempts: how many of them are made on average
        recovery_probability: that one of them is approved
        recovery_low: the same with every chance at the lower end of its interval
        recovery_high: the same with every chance at the upper end of its interval
        expected_net_value: after costs; stopping now is worth nothing
        break_even_cost: if every attempt cost this much, the plan would be worth nothing
        value: the same with cautious chances, as plans are compared
    """

    attempts: tuple[PlannedRetry, ...]
    expected_attempts: float
    recovery_probability: float
    recovery_low: float
    recovery_high: float
    expected_recovered: MoneyOut
    expected_cost: MoneyOut
    expected_net_value: MoneyOut
    break_even_cost: MoneyOut
    value: MoneyOut


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonOut:
    """One sentence that moved the decision."""

    topic: Topic | str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedRetries:
    """What one rule took away from one method.

    Args:
        proposed: retries of the method that could have been made
        removed: how many of them the rule forbids
    """

    method_id: str
    proposed: int
    removed: int
    limit: Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAction:
    """Make one attempt in the window, with the method, through the processor.

    Args:
        by_day: true where the history knows days only, so that the window stands for a day
        propensity: probability with which the policy takes this action
    """

    kind: Literal["retry"]
    window: Window
    method_id: str
    processor: str
    by_day: bool
    propensity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDownOut:
    """A policy that should have answered and did not.

    Args:
        policy_source: whose answer it would have been
    """

    policy_source: Literal["model", "prior"]
    why: Distrust | str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAction:
    """Make no further attempt.

    Args:
        propensity: probability with which the policy takes this action
    """

    kind: Literal["stop"]
    reason: StopReason | str
    propensity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionsOut:
    """What the decision was made with: the same versions and context give the same decision."""

    model: str
    rulebook: str
    economics: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionAnswer:
    """What to do about a failed payment, what it is worth, why, and under which limits.

    Args:
        decision_id: hash of the content: the same content has the same id
        valid_until: ask again then: the window is over or something has changed
        probability: null for a stop and where a schedule chose
        expected_net_value: gain times probability, less all costs; null as above
        expected_cost: fees and harm expected from the attempt; null as above
        break_even_cost: an attempt that costs this much is worth nothing
        alternatives: the next best to start with, best first
        curves: the chance over the horizon, one a route, at most four routes
        limits: every rule that applies to the action; for a stop, those that forbid
        removed: what the rules took away
        payer_could: what the payer could do, most helpful first
        notes: what in the request was not understood and how it was taken
        policy_source: whether a trained model or the shipped prior scored, or a fixed schedule chose without chances
        stepped_down: the policies that should have answered and did not, and why; empty where the first one answered
        experiment: the variant that answered; null outside of experiments
    """

    decision_id: str
    payment_id: str
    as_of: datetime
    valid_until: datetime
    action: RetryAction | StopAction | HoldAction
    probability: Probability | None
    expected_net_value: MoneyOut | None
    expected_cost: MoneyOut | None
    break_even_cost: MoneyOut | None
    plan: PlanOut
    alternatives: tuple[OtherRetry, ...]
    curves: tuple[CurveOut, ...]
    limits: tuple[Limit, ...]
    removed: tuple[RemovedRetries, ...]
    reasons: tuple[ReasonOut, ...]
    payer_could: tuple[str, ...]
    notes: tuple[str, ...]
    policy: str
    policy_source: Literal["model", "prior", "schedule"]
    stepped_down: tuple[StepDownOut, ...]
    versions: VersionsOut
    experiment: AssignmentOut | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationOut:
    """A place held in every counter that the attempt would use.

    Args:
        fire_from: make the attempt from then (UTC)
        fire_by: and before then (UTC)
        expires_at: the hold ends by itself: settle or release it before (UTC)
        closed_at: when it was spent, released or expired
        reason: why it was released, in the caller's words
        attempt_id: the attempt that spent it
        rulebook: version of the rules that allowed it
    """

    reservation_id: str
    state: State | str
    payment_id: str
    method_id: str
    processor: str
    amount: MoneyOut
    fire_from: datetime
    fire_by: datetime
    expires_at: datetime
    held_at: datetime
    closed_at: datetime | None
    reason: str | None
    attempt_id: str | None
    rulebook: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedDecisionAnswer:
    """A decision that was asked for with reserve.

    Args:
        decision_id: hash of the content: the same content has the same id
        valid_until: ask again then: the window is over or something has changed
        probability: null for a stop and where a schedule chose
        expected_net_value: gain times probability, less all costs; null as above
        expected_cost: fees and harm expected from the attempt; null as above
        break_even_cost: an attempt that costs this much is worth nothing
        alternatives: the next best to start with, best first
        curves: the chance over the horizon, one a route, at most four routes
        limits: every rule that applies to the action; for a stop, those that forbid
        removed: what the rules took away
        payer_could: what the payer could do, most helpful first
        notes: what in the request was not understood and how it was taken
        policy_source: whether a trained model or the shipped prior scored, or a fixed schedule chose without chances
        stepped_down: the policies that should have answered and did not, and why; empty where the first one answered
        experiment: the variant that answered; null outside of experiments
        reservation: what is held for the retry; null for a stop
    """

    decision_id: str
    payment_id: str
    as_of: datetime
    valid_until: datetime
    action: RetryAction | StopAction | HoldAction
    probability: Probability | None
    expected_net_value: MoneyOut | None
    expected_cost: MoneyOut | None
    break_even_cost: MoneyOut | None
    plan: PlanOut
    alternatives: tuple[OtherRetry, ...]
    curves: tuple[CurveOut, ...]
    limits: tuple[Limit, ...]
    removed: tuple[RemovedRetries, ...]
    reasons: tuple[ReasonOut, ...]
    payer_could: tuple[str, ...]
    notes: tuple[str, ...]
    policy: str
    policy_source: Literal["model", "prior", "schedule"]
    stepped_down: tuple[StepDownOut, ...]
    versions: VersionsOut
    experiment: AssignmentOut | None
    reservation: ReservationOut | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchDecision:
    """An entry that was answered.

    Args:
        index: which entry, counted from 0; blank lines do not count
        replayed: whether the answer is the one that was given before under the same key
    """

    index: int
    status: Literal[200]
    replayed: bool
    decision: ReservedDecisionAnswer | DecisionAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerIn:
    """The bank that answers.

    Args:
        issuer_id: the issuing bank as your data names it
        country: ISO 3166-1 alpha-2 of the issuer
        time_zone: IANA zone of the issuer; else the country's main zone
        bin: first six to eight digits of the card; never more
    """

    issuer_id: str | None = None
    country: str | None = None
    time_zone: str | None = None
    bin: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodIn:
    """One stored instrument, by token; never a card number.

    Args:
        method_id: token of the stored instrument
        rail: how money moves
        network: whose rules govern an attempt; unknown when absent
        issuer: the bank that answers
        funding: where a card's money comes from; unknown when absent
        credential: form of the stored credential; unknown when absent
        expires_on: last day the credential is valid
        mandate_id: mandate of a debit or e-mandate
        consented: whether the customer allows this method for this payment; true when absent
        processors: processors that can charge it; those that attempted it when absent
    """

    method_id: str
    rail: Rail
    network: Network | None = None
    issuer: IssuerIn | None = None
    funding: Funding | None = None
    credential: Credential | None = None
    expires_on: date | None = None
    mandate_id: str | None = None
    consented: bool | None = None
    processors: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentIn:
    """The obligation that the attempts try to collect.

    Args:
        payment_id: identifies the obligation
        merchant_id: who is owed
        customer_id: who owes; a token of yours, never a name
        amount_minor: amount in minor units (cents, pence; whole yen)
        currency: ISO 4217 in capitals
        due_at: when it first fell due
        recover_by: retries stop after this instant; 60 days after due_at when absent
        market: your own market label, usually the country
        merchant_country: where you are acquired
        purpose: what the payment is for, such as subscription
    """

    payment_id: str
    merchant_id: str
    customer_id: str
    amount_minor: int
    currency: str
    due_at: datetime
    recover_by: datetime | None = None
    market: str | None = None
    merchant_country: str | None = None
    purpose: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEntry:
    """A request for a decision, with a key of its own where it shall be answered once.

    Args:
        payment: the obligation that failed to be collected
        methods: every stored method on file
        attempts: this payment's attempts, and earlier ones of the customer
        customer_since: day the customer joined
        history_known: true when attempts holds every attempt of the customer; false when absent
        as_of: decide as of this instant; now when absent
        reserve: true holds a place in every counter for the retry that is decided; needs the ledger and no as_of
        within_ms: answer within so many milliseconds, by a simpler policy if need be; the service's own time, which it
            never exceeds, when absent
        idempotency_key: a key of your own for this entry; for 24 hours the same entry under it gets the same answer
    """

    payment: PaymentIn
    methods: tuple[MethodIn, ...]
    attempts: tuple[AttemptIn, ...]
    customer_since: date | None = None
    history_known: bool | None = None
    as_of: datetime | None = None
    reserve: bool | None = None
    within_ms: int | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """One field at fault.

    Args:
        field: path as the caller wrote it
        value: what stood there; null where it may not be repeated
    """

    field: str
    value: str | int | float | bool | None
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A refusal (RFC 9457).

    Args:
        detail: one sentence
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: tuple[FieldProblem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRefusal:
    """An entry that was refused.

    Args:
        index: which entry, counted from 0; blank lines do not count
        status: the status that a call of its own would have had
        replayed: whether the answer is the one that was given before under the same key
    """

    index: int
    status: int
    replayed: bool
    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodBudgetOut:
    """What is left for one payment, amount, processor and initiator.

    Args:
        limits: every rule that applies: what is used and left, and when it frees
    """

    payment_id: str
    amount: MoneyOut
    processor: str
    initiator: Initiator | str
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetsAnswer:
    """What is left of every limit for what a method was lately tried with, newest first."""

    merchant_id: str
    method_id: str
    at: datetime
    budgets: tuple[MethodBudgetOut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenger:
    """The model that is asked in shadow.

    Args:
        version: content hash of the artifact
    """

    version: str
    registered_version: str | None
    since: datetime
    prepared_seconds: float
    learnt_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoGoReason:
    """One reason not to make the attempt now.

    Args:
        rule_id: the rule, where one forbids
    """

    code: ReasonCode | str
    sentence: str
    rule_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnswer:
    """Whether the attempt may be made now.

    Args:
        go: true: make it now; false: do not, for these reasons
        reasons: what speaks against it; empty when go is true
        limits: every rule that applies and where the attempt stands under it
    """

    go: bool
    checked_at: datetime
    reasons: tuple[NoGoReason, ...]
    reservation: ReservationOut
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """Ask whether the reserved attempt may be made now.

    Args:
        merchant_id: whose reservation it is
    """

    merchant_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionHeadline:
    """A decision without its explanation.

    Args:
        as_of: as of when it was decided (UTC)
        answered_at: when it was first answered (UTC)
        reason: why not; null for a retry
        method_id: null unless it is a retry
        processor: null unless it is a retry
        propensity: probability with which the policy takes this action
        reservation_id: what was held with it; null where nothing was
        policy_source: whether a trained model or the shipped prior scored
    """

    decision_id: str
    payment_id: str
    as_of: datetime
    answered_at: datetime
    action: Literal["retry", "stop", "hold"]
    reason: str | None
    method_id: str | None
    processor: str | None
    propensity: float
    reservation_id: str | None
    policy: str
    policy_source: str
    versions: VersionsOut


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceOut:
    """A field in which what was answered or listed differs from what comes of it now.

    Args:
        field: path in the answer; headline. and a name for what decisions are listed by
        before: what was answered, as JSON, shortened; null where there was no such field
        after: what comes of it now, likewise
    """

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionReplay:
    """What came of computing a decision again from what it was made from.

    Args:
        outcome: same: every byte of the answer, and all that it is listed by; differs: see differences; missing: it was
            not computed again, because something that it was made with is not there or cannot be read
        missing: what is not there any more or cannot be read, one sentence each
        fields: in how many fields there is a difference
        differences: the first of them
        versions: what it was made with
    """

    decision_id: str
    outcome: Recomputation | str
    missing: tuple[str, ...]
    fields: int
    differences: tuple[DifferenceOut, ...]
    versions: VersionsOut


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRequest:
    """A failed payment, its methods on file and its attempts so far.

    Args:
        payment: the obligation that failed to be collected
        methods: every stored method on file
        attempts: this payment's attempts, and earlier ones of the customer
        customer_since: day the customer joined
        history_known: true when attempts holds every attempt of the customer; false when absent
        as_of: decide as of this instant; now when absent
        reserve: true holds a place in every counter for the retry that is decided; needs the ledger and no as_of
        within_ms: answer within so many milliseconds, by a simpler policy if need be; the service's own time, which it
            never exceeds, when absent
    """

    payment: PaymentIn
    methods: tuple[MethodIn, ...]
    attempts: tuple[AttemptIn, ...]
    customer_since: date | None = None
    history_known: bool | None = None
    as_of: datetime | None = None
    reserve: bool | None = None
    within_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionsPage:
    """Decisions, the latest first.

    Args:
        has_more: whether the list goes on
        next_cursor: send it as cursor for the next page; null at the end
    """

    has_more: bool
    next_cursor: str | None
    decisions: tuple[DecisionHeadline, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryOut:
    """What one table says of a code."""

    table: str
    code: str
    subcode: str | None
    title: str
    category: str
    retryability: str
    source: str
    confidence: str
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineOut:
    """How a raw code is read, and who says so.

    Args:
        network_code: the network's own code behind it
        advice: what the advice code beside it asks for
        may_hide: codes of the network that may have come as this one that day
        known: false: it stands in no table and is kept as unknown
    """

    processor: str | None
    network: str
    code: str | None
    category: str
    retryability: str
    title: str
    network_code: str | None
    advice: str | None
    min_wait_hours: int | None
    may_hide: tuple[str, ...]
    known: bool
    processor_says: EntryOut | None
    network_says: EntryOut | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAnswer:
    """What became of a delivery.

    Args:
        delivery_id: digest of the body, and of the day (UTC) on which it first came where the body says no time
            (Recurly's renewed billing information); recoup webhooks list shows it
        received: whether it was delivered before
        state: kept in every state; failed ones are read again by recoup webhooks retry
        events: how many events of the ledger were new
    """

    delivery_id: str
    received: Literal["new", "repeated"]
    state: Literal["stored", "applied", "ignored", "waiting", "failed"]
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectUnitsOut:
    """Mature units that an effect rests on."""

    control: int
    variant: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalOut:
    """From low to high, in the metric's unit."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainOut:
    """An effect without its covariate."""

    control: float
    variant: float
    difference: float
    standard_error: float
    interval: IntervalOut
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectOut:
    """A variant less its control on one metric, from mature units; with a covariate, adjusted by it.

    Args:
        interval: of the difference, by the experiment's method at `level`
        level: chance that the interval holds the truth
        relative: the difference as a share of the control
        reduction: share of the variance that the covariate took off
        unadjusted: the same without the covariate; null where there is none
    """

    metric: str
    control: float
    variant: float
    difference: float
    standard_error: float
    interval: IntervalOut
    level: float
    p: float
    relative: float | None
    relative_interval: IntervalOut | None
    units: EffectUnitsOut
    reduction: float
    unadjusted: PlainOut | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryOut:
    """One thing that was done to an experiment.

    Args:
        variant: the variant that the decision is about
        weights: of all variants from then on, where a bandit changed them
    """

    at: datetime
    what: Change | str
    by: str
    coverage: float | None
    decision: Decided | str | None
    variant: str | None
    note: str | None
    weights: Mapping[str, object] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantOut:
    """One variant.

    Args:
        control: the variant that the others are compared with
        policy: the kind of policy that it answers with
        share: probability of the variant for a unit that takes part
        first_bucket: its first bucket of 10,000
        end_bucket: the bucket after its last
        payments: of the merchant, answered by it so far; testers left out
        units: customers, or payments where the unit is the payment
    """

    name: str
    control: bool
    policy: str
    share: float
    first_bucket: int
    end_bucket: int
    payments: int
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentOut:
    """One experiment, with the exposures of one merchant.

    Args:
        variants: the hold-out first, then in the order of their names
        testers: payments of testers, who count in no analysis
        history: oldest first
    """

    key: str
    hypothesis: str
    owner: str
    status: Status | str
    unit: Unit | str
    namespace: str
    coverage: float
    hold_out: float
    primary_metric: str
    guardrails: tuple[str, ...]
    secondary_metrics: tuple[str, ...]
    window_days: int
    min_run_days: int
    method: Method | str
    variants: tuple[VariantOut, ...]
    testers: int
    history: tuple[HistoryOut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentsAnswer:
    """Every experiment that may be about the merchant."""

    experiments: tuple[ExperimentOut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeOut:
    """A price in force.

    Args:
        amount_minor: per attempt; where the price is finer, rounded up to the minor unit
        stated: the price as published, where the amount cannot say it
        regions: countries of the merchant; empty means everywhere
        cross_border: null: at home and across borders
    """

    amount_minor: int
    currency: str
    stated: str | None
    regions: tuple[str, ...]
    cross_border: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailOut:
    """A guard-rail; its interval is always-valid.

    Args:
        better: higher or lower
        state: held, open or breached
    """

    metric: str
    margin: float
    better: str
    state: str
    effect: EffectOut | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The process is alive."""

    status: Literal["alive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOutOut:
    """Everybody treated against the hold-out.

    Args:
        brought: what the retries brought, in minor units of the report's currency
    """

    effect: EffectOut
    brought: float
    brought_interval: IntervalOut


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDecisionOut:
    """A decision as it was answered.

    Args:
        as_of: as of when it was decided (UTC)
        answered_at: when it was first answered (UTC)
        reason: why not; null for a retry
        method_id: null unless it is a retry
        processor: null unless it is a retry
        propensity: probability with which the policy takes this action
        reservation_id: what was held with it; null where nothing was
        policy_source: whether a trained model or the shipped prior scored
        answer: the answer, byte for byte, without the reservation
    """

    decision_id: str
    payment_id: str
    as_of: datetime
    answered_at: datetime
    action: Literal["retry", "stop", "hold"]
    reason: str | None
    method_id: str | None
    processor: str | None
    propensity: float
    reservation_id: str | None
    policy: str
    policy_source: str
    versions: VersionsOut
    merchant_id: str
    answer: DecisionAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerReadiness:
    """Where the ledger stands.

    Args:
        state: none: this service keeps no ledger; not_answering: it takes too long; unwritable: its disk is full or may
            only be read; other_version: a later Recoup has changed its database
        database: sqlite or postgres; null where it is not known
        version: last migration applied; null where it is not known
    """

    state: Literal["ready", "none", "unreachable", "not_answering", "unwritable", "other_version"]
    database: str | None
    version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeAttempt:
    """The attempt that was made; append it to `attempts` of the next request for a decision."""

    attempt_id: str
    method_id: str
    processor: str
    attempted_at: datetime
    outcome: Outcome | str
    code: str | None
    subcode: str | None
    advice_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTaken:
    """A registered version that was refused, so that the one before it goes on.

    Args:
        since: when it was refused first
    """

    alias: str
    registered_version: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryOut:
    """Whether the aliases are followed.

    Args:
        followed: false where a folder was named, or the aliases were only looked at once
        asked_at: when it last answered
        unreachable_since: since when it could not be asked; null where it can
        reason: why it could not
    """

    followed: bool
    asked_at: datetime | None
    unreachable_since: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Which model answers and how it came to.

    Args:
        asked: where a model was looked for
        version: content hash of the artifact, or the prior's version
        registered_version: its number in the registry, when it came from there
        refused: why no model answers; null when one does
        since: when this worker took it up; null while it starts
        prepared_seconds: how long it took to make it ready, off the path of requests
        learnt_until: the last decision that it was judged on
        resting: why it is left alone for a while; null where it is asked as usual
        not_taken: registered versions that an alias names and that were refused
        challenger: who is asked in shadow; null for nobody
    """

    name: str
    asked: str
    policy_source: Literal["model", "prior"]
    version: str
    registered_version: str | None
    refused: str | None
    since: datetime | None
    prepared_seconds: float
    learnt_until: datetime | None
    resting: Distrust | str | None
    not_taken: tuple[NotTaken, ...]
    challenger: Challenger | None
    registry: RegistryOut


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEvent:
    """Where a payment, a consent or a method stands.

    Args:
        merchant_id: whose payment it is
        event_id: the source's own id of what it tells; told twice under one id it counts once
        kind: what happened
        method_id: the method, for what is told of a consent or a method
        fix: for method_fixed, what was mended: details (when absent) such as number, expiry or account; authorization,
            a new one of the payer for this payment; settled, cleared up with the payer or the bank; authentication, the
            payer took part
        reason: for payment_opted_out and payment_opted_in, why, in your words; it is repeated
        source: webhook, or reported (when absent): by you or by hand
        happened_at: when it became so, by the source's own clock
    """

    merchant_id: str
    event_id: str
    kind: PaymentEventKind
    method_id: str | None = None
    fix: FixKind | None = None
    reason: str | None = None
    source: Reporter | None = None
    happened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEventAnswer:
    """What became of an event.

    Args:
        recorded: repeated: it had been told before and changed nothing
    """

    event_id: str
    recorded: Literal["new", "repeated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOut:
    """One payment that attempts were told of.

    Args:
        approved: whether an attempt on it was approved
        standing: the latest word on it, such as payment_paid
        opted_out: whether no retries are wanted for it
    """

    payment_id: str
    attempts: int
    last_attempt_at: datetime
    approved: bool
    standing: str | None
    opted_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One thing that happened to a payment; what a kind of entry does not have is null.

    Args:
        entry: attempt, decision, reservation, standing (a word on the payment) or advice (retries wanted)
        id: the id of the attempt, the decision, the reservation or the event
        at: when it was made, decided, held or said (UTC)
        ends_at: of an attempt, when its outcome became known; of a reservation, when it was closed (UTC)
        word: the outcome of an attempt, what was decided, the state of a reservation, or what was said
        code: raw decline code
        category: how the decline was read
        other_id: of an attempt or a decision, its reservation; of a reservation, the attempt that spent it
        reason: why, in the words of whoever said it
    """

    entry: str
    id: str
    at: datetime
    ends_at: datetime | None
    word: str
    method_id: str | None
    processor: str | None
    initiator: str | None
    amount: MoneyOut | None
    code: str | None
    subcode: str | None
    advice_code: str | None
    category: str | None
    other_id: str | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTimeline:
    """What happened to a payment, earliest first.

    Args:
        has_more: whether the list goes on
        next_cursor: send it as cursor for the next page; null at the end
    """

    has_more: bool
    next_cursor: str | None
    merchant_id: str
    payment_id: str
    entries: tuple[TimelineEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentsPage:
    """Payments in the order of their ids.

    Args:
        has_more: whether the list goes on
        next_cursor: send it as cursor for the next page; null at the end
    """

    has_more: bool
    next_cursor: str | None
    payments: tuple[PaymentOut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What answers, whether the ledger can be asked, and whether the process is leaving.

    Args:
        refused: why no model answers; null when one does
    """

    status: Literal["ready", "not_ready", "draining"]
    policy_source: Literal["model", "prior"]
    refused: str | None
    versions: VersionsOut
    ledger: LedgerReadiness


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRequest:
    """The reserved attempt will not be made.

    Args:
        merchant_id: whose reservation it is
        reason: why, in your words
    """

    merchant_id: str
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitOut:
    """Whether units arrived as planned.

    Args:
        anytime_p: may be read every day
    """

    healthy: bool
    anytime_p: float
    chi_square_p: float
    arms: tuple[ArmOut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondaryOut:
    """A secondary metric.

    Args:
        interval: of the difference, by the experiment's method at `level`
        level: chance that the interval holds the truth
        relative: the difference as a share of the control
        reduction: share of the variance that the covariate took off
        unadjusted: the same without the covariate; null where there is none
        corrected_p: corrected for the number of secondary metrics (Holm)
    """

    metric: str
    control: float
    variant: float
    difference: float
    standard_error: float
    interval: IntervalOut
    level: float
    p: float
    relative: float | None
    relative_interval: IntervalOut | None
    units: EffectUnitsOut
    reduction: float
    unadjusted: PlainOut | None
    corrected_p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentOut:
    """The effect in one segment.

    Args:
        interval: of the difference, by the experiment's method at `level`
        level: chance that the interval holds the truth
        relative: the difference as a share of the control
        reduction: share of the variance that the covariate took off
        unadjusted: the same without the covariate; null where there is none
        shrunken: the difference drawn towards the common one
    """

    metric: str
    control: float
    variant: float
    difference: float
    standard_error: float
    interval: IntervalOut
    level: float
    p: float
    relative: float | None
    relative_interval: IntervalOut | None
    units: EffectUnitsOut
    reduction: float
    unadjusted: PlainOut | None
    segment: str
    shrunken: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentsOut:
    """The effect by the values of one label; exploratory.

    Args:
        differ_p: p of segments with one common effect differing so much
        left_out_units: units of segments too small to show
    """

    by: str
    differ_p: float
    common: float
    left_out_units: int
    segments: tuple[SegmentOut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantReportOut:
    """One variant against the control.

    Args:
        verdict: collecting, unhealthy, no difference shown, wins, loses, guard-rail breached or ready to ship
        sentence: why
    """

    variant: str
    verdict: str
    sentence: str
    primary: EffectOut | None
    guardrails: tuple[GuardrailOut, ...]
    secondary: tuple[SecondaryOut, ...]
    segments_exploratory: tuple[SegmentsOut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOut:
    """What may be read of an experiment on that day, as `recoup experiment report --json` writes it.

    Args:
        merchant_id: whose payments it is about
        as_of: what was known then
        currency: of all money in it, in minor units
        covariate: what is known before the failure and takes noise off every effect
        withheld: the split is broken, so no outcome is shown
        unmeasured: metrics whose facts nobody tells of
    """

    key: str
    hypothesis: str
    owner: str
    status: Status | str
    merchant_id: str | None
    as_of: datetime
    currency: str
    unit: Unit | str
    control: str
    method: Method | str
    alpha: float
    window_days: int
    min_run_days: int
    days_run: float
    planned_units: int | None
    planned_units_stated: bool
    covariate: str | None
    split: SplitOut
    withheld: bool
    unmeasured: tuple[str, ...]
    variants: tuple[VariantReportOut, ...]
    hold_out: HoldOutOut | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAnswer:
    """The last report of an experiment on one merchant's payments, and how old it is.

    Args:
        about: whose payments the figures are of
        state: computing: there is none yet, ask again; current; old: a newer one is being computed
        problem: why the last try to compute it anew failed
    """

    key: str
    merchant_id: str
    about: str
    state: Literal["computing", "current", "old"]
    computed_at: datetime | None
    age_seconds: int | None
    problem: str | None
    report: ReportOut | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledAnswer:
    """What an attempt did to its reservation.

    Args:
        late: the hold had ended before; the attempt counts all the same
    """

    reservation: ReservationOut
    late: bool
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportResult:
    """What became of one report.

    Args:
        recorded: repeated: it had been told before and changed nothing
        settled: the reservation that it settled, where one was named
    """

    event_id: str
    attempt_id: str
    recorded: Literal["new", "repeated"]
    settled: SettledAnswer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportsAnswer:
    """What became of the reports, in their order."""

    new: int
    repeated: int
    results: tuple[ReportResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationsPage:
    """What is held, in the order of payments.

    Args:
        has_more: whether the list goes on
        next_cursor: send it as cursor for the next page; null at the end
    """

    has_more: bool
    next_cursor: str | None
    reservations: tuple[ReservationOut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOut:
    """One rule in force.

    Args:
        advises: it warns and never forbids
        ours: a default of Recoup's, because no public figure is known
        key: what attempts must share to share a counter
        counts: what uses a cap up; null for other kinds
        published_limit: the looser figure of some sources; selectable
        rails: empty means all, here and below
        lifts: fixes of the method that lift it when told after the decline
        lifts_codes: codes after which they do; empty means all it answers to
        fees: prices in force on that day
    """

    rule_id: str
    kind: str
    sentence: str
    advises: bool
    ours: bool
    key: tuple[str, ...]
    counts: str | None
    limit: int | None
    published_limit: int | None
    rails: tuple[str, ...]
    networks: tuple[str, ...]
    regions: tuple[str, ...]
    issuers: tuple[str, ...]
    processors: tuple[str, ...]
    lifts: tuple[str, ...]
    lifts_codes: tuple[str, ...]
    effective_from: date | None
    effective_to: date | None
    fees: tuple[FeeOut, ...]
    sources: tuple[str, ...]
    confidence: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOut:
    """A schedule of prices, with those in force."""

    schedule_id: str
    sentence: str
    fees: tuple[FeeOut, ...]
    sources: tuple[str, ...]
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RulebookOut:
    """The rulebook in force on a day.

    Args:
        at: the day (UTC) that was asked about
    """

    version: str
    at: date
    network: str | None
    rules: tuple[RuleOut, ...]
    schedules: tuple[ScheduleOut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxAnswer:
    """One answer of a processor.

    Args:
        outcome: what comes of the attempt
        code: raw decline code, as the processor would send it
        subcode: second raw code that comes with it
        advice_code: Mastercard merchant advice code
    """

    outcome: Outcome
    code: str | None = None
    subcode: str | None = None
    advice_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxRule:
    """Answers for the attempts that fit; a condition that is absent fits all.

    Args:
        answers: to the payment's attempts in the sandbox in their order; the last one from there on
        payment_id: only attempts on this payment
        method_id: only attempts with this method
        processor: only attempts through this processor
        not_before: only attempts from this instant on
        before: only attempts before this instant
    """

    answers: tuple[SandboxAnswer, ...]
    payment_id: str | None = None
    method_id: str | None = None
    processor: str | None = None
    not_before: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxAnswers:
    """What processors answer from now on.

    Args:
        rules: the first that fits an attempt answers it; where none does, it is approved
    """

    rules: tuple[SandboxRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxAttempt:
    """Carry out what was advised.

    Args:
        advance: true moves the clock to the beginning of the advised window first, if it is earlier
    """

    advance: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxAttempted:
    """What became of the advised attempt.

    Args:
        now: what time it is in the sandbox
        check: the check just before; with go false nothing was attempted
        attempt: the attempt; null where the check said no-go
        settled: what it did to its reservation; null where none was made
    """

    now: datetime
    check: CheckAnswer
    attempt: MadeAttempt | None
    settled: SettledAnswer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxClock:
    """What time it is to be.

    Args:
        now: not before what the clock shows, unless reset is true
        reset: true wipes the sandbox first, so that any instant will do
    """

    now: datetime
    reset: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxEvent:
    """One event as it is sent to the merchant's own systems.

    Args:
        timestamp: when it happened, by the sandbox's clock
        data: see the page on events out
    """

    event_id: str
    type: str
    timestamp: datetime
    sandbox: Literal[True]
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxEventsPage:
    """The events of the sandbox, earliest first.

    Args:
        has_more: whether the list goes on
        next_cursor: send it as cursor for the next page; null at the end
    """

    has_more: bool
    next_cursor: str | None
    events: tuple[SandboxEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxMoved:
    """How a sandbox stands after its clock was moved.

    Args:
        generation: one higher each time it was wiped
        now: what time it is in there; it stands still until you move it
        rules: what processors answer
        holds_ended: reservations whose time is over, and were ended
        recoveries_ended: recoveries whose time is over, and were ended
    """

    merchant_id: str
    generation: int
    now: datetime
    rules: tuple[SandboxRule, ...]
    holds_ended: int
    recoveries_ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxState:
    """How a sandbox stands.

    Args:
        generation: one higher each time it was wiped
        now: what time it is in there; it stands still until you move it
        rules: what processors answer
    """

    merchant_id: str
    generation: int
    now: datetime
    rules: tuple[SandboxRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledAttempt:
    """The attempt that a reservation was held for.

    Args:
        attempt_id: identifies the attempt
        attempted_at: when it was made
        outcome: what came of it; unknown while it is pending, and settle again when known
        outcome_at: when the outcome became known; else attempted_at
        processor: who carried it; the reserved processor when absent
        code: raw decline code or text as it came
        subcode: second raw code that came with it
        advice_code: Mastercard merchant advice code
        text: the sender's message, read where the code says nothing
    """

    attempt_id: str
    attempted_at: datetime
    outcome: Outcome
    outcome_at: datetime | None = None
    processor: str | None = None
    code: str | None = None
    subcode: str | None = None
    advice_code: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleRequest:
    """The reserved attempt was made.

    Args:
        merchant_id: whose reservation it is
        attempt: the attempt
    """

    merchant_id: str
    attempt: SettledAttempt


@dataclass(frozen=True, slots=True, kw_only=True)
class StopOut:
    """A stop in force.

    Args:
        merchant_id: null for all merchants
        by: who stopped: a merchant's key lifts its own stops alone
    """

    merchant_id: str | None
    reason: str
    since: datetime
    by: Literal["operator", "merchant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequest:
    """Whose retries are to be stopped, or to go on.

    Args:
        merchant_id: the merchant; absent, the key's own, and of an operator's key all merchants
        reason: why, in your words; every answer repeats it meanwhile
    """

    merchant_id: str | None = None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopsAnswer:
    """The stops in force that hold for the key's merchant; of an operator's key, all of them.

    Args:
        warnings: what is odd about what was asked: a merchant that nobody knows is perhaps misspelt
    """

    stops: tuple[StopOut, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldOfCustomer:
    """What befell a customer; experiments ask it, and no limit counts it.

    Args:
        merchant_id: whose customer it is
        event_id: the source's own id of what it tells; told twice under one id it counts once
        kind: complained; unsubscribed from messages; disputed a charge; lost, ended for want of payment; left, ended by
            the customer's wish; paid anything, recovered payments too; refunded
        amount_minor: of what was paid or refunded, in minor units
        currency: ISO 4217 in capitals; with the amount
        happened_at: when it happened, by the source's own clock
    """

    merchant_id: str
    event_id: str
    kind: CustomerEventKind
    amount_minor: int | None = None
    currency: str | None = None
    happened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldOfMoneyBack:
    """Money of an approved attempt that went back to the payer; the payment is not owed again by it.

    Args:
        merchant_id: whose attempt it is
        event_id: the source's own id of what it tells; told twice under one id it counts once
        kind: refund, or chargeback of a card; a debit that came back is a reversed attempt
        amount_minor: in the currency of the attempt; all if absent
        happened_at: when it went back, by the source's own clock
    """

    merchant_id: str
    event_id: str
    kind: Way
    amount_minor: int | None = None
    happened_at: datetime
