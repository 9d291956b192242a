"""Random payments and their attempts, by everybody who makes them, around the days on which something changes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random

from features.attempt import Attempt
from features.declines.taxonomy import classify
from features.method import Issuer, Method
from features.money import Money
from features.payment import Payment
from features.vocabulary import Credential, Initiator, Network, Outcome, Precision, Rail
from fuzz.brute import Known, Mended
from model.caps.rule import FixKind
from model.caps.rulebook import Rulebook, Tightening

HOUR = timedelta(hours=1)
_OUTCOMES = (*[Outcome.DECLINED] * 8, Outcome.APPROVED, Outcome.ERROR, Outcome.UNKNOWN)
_INITIATORS = (*[Initiator.MERCHANT] * 4, Initiator.CUSTOMER, Initiator.CUSTOMER, Initiator.UNKNOWN)
_SOURCES = ("history", "webhook", "advised", "reported", "backfill")
_EDGES = (0, 1, 23, 24, 25, 48, 72, 96, 240, 384, 719, 720, 721, 744)
_CARD_CODES = ("51", "51", "05", "05", "54", "1A", "91", "41", "R0", "14", "46", "78", "ZZ", "67", "RP")


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of payment: rail and network, where it happens, and with which words it fails."""

    rail: Rail
    network: Network
    countries: tuple[str | None, ...]
    currency: str
    processors: tuple[str, ...]
    codes: tuple[str, ...]
    advices: tuple[str | None, ...] = (None,)
    amounts: tuple[int, ...] = (1250, 1250, 999)
    outcomes: tuple[Outcome, ...] = _OUTCOMES


_ANYWHERE = ("north", "stripe_us", "recurly", "paddle", "tabapay", "cielo")
_ADVICES = (None, None, None, "24", "25", "27", "30", "02", "03", "21", "40")
_CARD, _DEBIT, _TRANSFER = Rail.CARD, Rail.BANK_DEBIT, Rail.ACCOUNT_TO_ACCOUNT
KINDS = (
    Kind(_CARD, Network.VISA, ("DE", "US", "BR", None), "EUR", _ANYWHERE, _CARD_CODES),
    Kind(_CARD, Network.VISA, ("US", "IN"), "USD", _ANYWHERE, _CARD_CODES),
    Kind(_CARD, Network.MASTERCARD, ("US", "BR", None), "USD", _ANYWHERE, (*_CARD_CODES, "79", "82"), _ADVICES),
    Kind(_CARD, Network.MASTERCARD, ("US", "DE"), "USD", ("north", "tabapay"), ("51",), _ADVICES),
    Kind(_CARD, Network.ELO, ("BR",), "BRL", ("cielo", "north"), ("51", "57", "60", "70", "AC", "999", "NR", "BP171")),
    Kind(_CARD, Network.DINERS, ("DE", "BR", None), "EUR", ("north", "stripe"),
         ("51", "05", "insufficient_funds", "41")),
    Kind(_CARD, Network.RUPAY, ("IN",), "INR", ("razorpay",), ("51", "05"), (None,), (1_499_999, 1_500_000, 1_500_001)),
    Kind(_CARD, Network.MADA, ("SA",), "SAR", ("north",), ("51", "05")),
    Kind(Rail.WALLET, Network.VISA, ("GB",), "GBP", ("north",), ("51", "41")),
    Kind(_DEBIT, Network.ACH, ("US",), "USD", ("north", "gocardless"),
         ("R01", "R01", "R09", "R08", "R03", "R10", "R21")),
    Kind(_DEBIT, Network.SEPA_CORE, ("NL", "DE", "FR"), "EUR", ("clearway", "gocardless"),
         ("AM04", "AM04", "MS03", "MD01")),
    Kind(_DEBIT, Network.SEPA_B2B, ("DE",), "EUR", ("clearway",), ("AM04", "AC04")),
    Kind(_DEBIT, Network.BACS, ("GB",), "GBP", ("clearway",), ("0", "0", "1", "B", "ADDACS-0", "ADDACS-E")),
    Kind(_DEBIT, Network.PAD, ("CA",), "CAD", ("zum",), ("901", "901", "905")),
    Kind(_DEBIT, Network.AUTOGIRO, ("SE",), "SEK", ("north",), ("1", "9", "2")),
    Kind(_DEBIT, Network.BECS_AU, ("AU",), "AUD", ("north",), ("6", "2")),
    Kind(_DEBIT, Network.NACH, ("IN",), "INR", ("razorpay",), ("insufficient_funds", "ZZ")),
    Kind(_DEBIT, Network.DOMICILIACION, ("MX",), "MXN", ("north",), ("ZZ",)),
    Kind(_TRANSFER, Network.UPI_AUTOPAY, ("IN",), "INR", ("razorpay", "north"), ("ZZ",), (None,), (50_000, 1_600_000)),
    Kind(_TRANSFER, Network.PIX_AUTOMATICO, ("BR",), "BRL", ("asaas",), ("AM04", "AB10")),
    Kind(_TRANSFER, Network.OPEN_BANKING, ("GB",), "GBP", ("gocardless", "north"), ("ZZ",)),
    Kind(Rail.UNKNOWN, Network.UNKNOWN, ("DE", None), "EUR", ("north",), ("51", "ZZ")),
    Kind(Rail.VOUCHER, Network.BOLETO, ("BR",), "BRL", ("north",), ("ZZ",)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scene:
    """One payment, its two methods and what is known of them at an instant."""

    kind: Kind
    payment: Payment
    methods: tuple[Method, Method]
    history: tuple[Known, ...]
    now: datetime
    mended: tuple[Mended, ...] = ()


def scene(random: Random) -> Scene:
    """A payment with up to fourteen attempts in the weeks, or years, before an instant."""
    kind = random.choice(KINDS)
    # Half of them fail for one reason only and never end otherwise, so that counters fill up.
    if random.random() < 0.5:
        kind = replace(
            kind,
            codes=(random.choice(kind.codes),),
            processors=(random.choice(kind.processors),),
            outcomes=(Outcome.DECLINED,),
        )
    reach = random.choice((2 * 24, 8 * 24, 45 * 24))
    now = instant(random)
    country = random.choice(kind.countries)
    payment = Payment(
        "pay",
        "acme",
        "cus",
        Money(random.choice(kind.amounts), kind.currency),
        now,
        now,
        market=random.choice((country, None)),
        merchant_country=random.choice((country, country, "US", None)),
    )
    methods = _methods(random, kind, country)
    ages = sorted({_age(random, reach) for _ in range(random.randrange(15))}, reverse=True)
    made = tuple(known(random, kind, payment, methods, now - age) for age in ages)
    answered = tuple(replace(each, attempt=_answered(random, each.attempt, now)) for each in made)
    mended = tuple(_mended(random, methods, now, reach) for _ in range(random.choice((0, 0, 1, 2, 3))))
    return Scene(kind, payment, methods, answered, now, mended)


def known(random: Random, kind: Kind, payment: Payment, methods: tuple[Method, Method], at: datetime) -> Known:
    """One attempt at an instant, by anybody, of this payment or another."""
    method = random.choice(methods)
    processor = random.choice(kind.processors)
    attempt = _attempt(random, kind, payment, method, processor, at)
    return Known(attempt, method, "acme")


def _answered(random: Random, attempt: Attempt, now: datetime) -> Attempt:
    """The attempt with its outcome known at once, or at any time until now, as a debit's is."""
    if attempt.outcome is Outcome.UNKNOWN or random.random() < 0.7:
        return attempt
    edge = random.choice((0.0, 1.0, random.random(), random.random()))
    return replace(attempt, outcome_at=attempt.at + edge * (now - attempt.at))


def _mended(random: Random, methods: tuple[Method, Method], now: datetime, reach_hours: int) -> Mended:
    ago = random.choice((0.0, 0.1 * random.random(), random.random()))
    return Mended(
        random.choice(methods).method_id,
        random.choice(tuple(FixKind)),
        now - ago * reach_hours * HOUR,
        random.choice(("pay", "pay", "other", None)),
    )


def declined_or_not(random: Random, kind: Kind, attempt: Attempt) -> Attempt:
    """The attempt with the outcome that chance gives it."""
    outcome = random.choice(kind.outcomes)
    if outcome is not Outcome.DECLINED:
        return replace(attempt, outcome=outcome, decline=None)
    code, advice = random.choice(kind.codes), random.choice(kind.advices)
    decline = classify(code, processor=attempt.processor, network=kind.network, advice_code=advice)
    return replace(attempt, outcome=outcome, decline=decline)


def instant(random: Random) -> datetime:
    """An instant near a day on which a rule, a clock, a month or a leap year changes; at times its midnight."""
    day = random.choice(change_days())
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=random.choice((0, 0, 0, 1, 7, 29)))
    if random.random() < 0.3:
        return at + random.choice((timedelta(0), timedelta(microseconds=-1), timedelta(microseconds=1)))
    return at + timedelta(minutes=random.randrange(-3 * 24 * 60, 3 * 24 * 60))


@cache
def change_days() -> tuple[date, ...]:
    """Days of rule changes, clock changes of Europe and America, month ends and leap days, from 2022 to 2028."""
    dated = {day for rule in Rulebook.load().rules for day in (rule.effective_from, rule.effective_to) if day}
    clocks = {date(y, m, d) for y, m, d in ((2025, 3, 30), (2025, 10, 26), (2026, 3, 8), (2026, 3, 29), (2026, 11, 1))}
    ends = {date(2024, 2, 29), date(2028, 2, 29), date(2025, 2, 28), date(2026, 1, 31), date(2026, 12, 31)}
    return tuple(sorted(day for day in dated | clocks | ends if day.year >= 2021))


@cache
def rulebooks() -> tuple[Rulebook, ...]:
    """The shipped rules; the same with small limits, so that short histories reach them; and the published figures."""
    shipped = Rulebook.load()
    capped = {rule.rule_id for rule in shipped.rules if rule.limit is not None and not rule.advises}
    low = {rule.rule_id for rule in shipped.rules if rule.limit is not None and rule.limit < 3}
    small = {name: Tightening(limit=3) for name in capped - low}
    looser = [rule.rule_id for rule in shipped.rules if rule.published]
    return shipped, shipped.tightened(small), shipped.published(looser)


def _methods(random: Random, kind: Kind, country: str | None) -> tuple[Method, Method]:
    mandates = random.choice((("man", "man"), ("man", "other"), (None, None), ("man", None)))
    forms = (Credential.PAN, Credential.NETWORK_TOKEN)
    first, second = (
        Method(f"pm{i}", kind.rail, kind.network, Issuer(country=country), credential=form, mandate_id=mandate)
        for i, (form, mandate) in enumerate(zip(forms, mandates, strict=True))
    )
    return first, second


def _age(random: Random, reach_hours: int) -> timedelta:
    chance = random.random()
    if chance < 0.3:
        return random.choice([edge for edge in _EDGES if edge <= reach_hours]) * HOUR
    if chance < 0.97:
        return timedelta(minutes=random.randrange(reach_hours * 60))
    return timedelta(days=random.choice((180, 1094, 1095, 1096, 1100)))


def _attempt(random: Random, kind: Kind, payment: Payment, method: Method, processor: str, at: datetime) -> Attempt:
    attempt = Attempt(
        attempt_id=f"{at.timestamp():.6f}-{random.randrange(1 << 30)}",
        payment_id=random.choice(("pay", "pay", "pay", "other")),
        method_id=method.method_id,
        processor=processor,
        amount=random.choice((payment.amount, payment.amount, Money(1, kind.currency))),
        at=at,
        outcome=Outcome.UNKNOWN,
        initiator=random.choice(_INITIATORS),
        precision=Precision.DAY if random.random() < 0.1 else Precision.INSTANT,
        source=random.choice(_SOURCES),
    )
    return declined_or_not(random, kind, attempt)


def ordered(history: Sequence[Known]) -> tuple[Known, ...]:
    """As anybody would put them: by time, then by name."""
    return tuple(sorted(history, key=lambda each: (each.attempt.at, each.attempt.attempt_id)))
