"""Contexts for tests of decisions: plain builders, and a hypothesis strategy over telling variety."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from features.attempt import Attempt
from features.context import Context
from features.declines.taxonomy import classify
from features.method import Issuer, Method
from features.money import Money
from features.payment import Payment
from features.vocabulary import Credential, Initiator, Network, Outcome, Precision, Rail

NOW = datetime(2026, 11, 24, 10, 15, tzinfo=UTC)
AMOUNT = Money(4900, "EUR")

_TIME_ZONES = (None, "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Santiago")
_NETWORKS = {
    Rail.CARD: (Network.VISA, Network.MASTERCARD, Network.AMERICAN_EXPRESS, Network.UNKNOWN),
    Rail.BANK_DEBIT: (Network.SEPA_CORE, Network.ACH, Network.BACS),
}
_CODES = {
    Network.VISA: ("51", "05", "91", "43", "54", "65", "59", "??"),
    Network.MASTERCARD: ("51", "05", "91", "41", "79", "30"),
    Network.AMERICAN_EXPRESS: ("100", "116", "911"),
    Network.UNKNOWN: ("51", "05", "weird"),
    Network.SEPA_CORE: ("AM04", "MS03", "MD07", "AC04"),
    Network.ACH: ("R01", "R09", "R02", "R08", "R10"),
    Network.BACS: ("0", "1", "2", "B"),
}


def card(
    method_id: str = "card_1",
    network: Network = Network.VISA,
    country: str | None = "DE",
    *,
    time_zone: str | None = None,
    expires_on: date | None = None,
    consented: bool = True,
    processors: tuple[str, ...] = ("north",),
) -> Method:
    """A card; one processor and consent unless said otherwise."""
    issuer = Issuer(f"bank of {method_id}", country, time_zone)
    return Method(
        method_id,
        Rail.CARD,
        network,
        issuer,
        credential=Credential.PAN,
        expires_on=expires_on,
        consented=consented,
        processors=processors,
    )


def debit(method_id: str = "debit_1", network: Network = Network.SEPA_CORE, country: str | None = "DE") -> Method:
    """A bank debit with a mandate."""
    issuer = Issuer(f"bank of {method_id}", country)
    return Method(
        method_id, Rail.BANK_DEBIT, network, issuer, mandate_id=f"mandate of {method_id}", processors=("north",)
    )


def failed(
    method: Method,
    code: str | None = "51",
    *,
    ago: timedelta = timedelta(hours=1),
    now: datetime = NOW,
    advice_code: str | None = None,
    processor: str | None = None,
    payment_id: str = "inv_1",
    outcome: Outcome = Outcome.DECLINED,
    precision: Precision = Precision.INSTANT,
    initiator: Initiator = Initiator.MERCHANT,
    amount: Money = AMOUNT,
) -> Attempt:
    """An attempt with the method that did not succeed, so long ago."""
    through = processor or (*method.processors, "north")[0]
    country = method.issuer.country
    decline = classify(code, processor=through, network=method.network, advice_code=advice_code, country=country)
    return Attempt(
        attempt_id=f"{payment_id} {method.method_id} {ago.total_seconds():.0f}",
        payment_id=payment_id,
        method_id=method.method_id,
        processor=through,
        amount=amount,
        at=now - ago,
        outcome=outcome,
        initiator=initiator,
        decline=decline if outcome is Outcome.DECLINED else None,
        precision=precision,
    )


def context(
    methods: Sequence[Method],
    attempts: Sequence[Attempt],
    *,
    now: datetime = NOW,
    days: float = 30,
    amount: Money = AMOUNT,
    market: str | None = None,
) -> Context:
    """One payment that may be recovered for so many days from now."""
    payment = Payment(
        "inv_1", "acme", "cus_1", amount, now - timedelta(days=1), now + timedelta(days=days), market=market
    )
    return Context(payment, tuple(methods), tuple(attempts), now)


@st.composite
def _methods(draw: st.DrawFn, number: int) -> Method:
    rail = draw(st.sampled_from((Rail.CARD, Rail.CARD, Rail.BANK_DEBIT)))
    return Method(
        method_id=f"method_{number}",
        rail=rail,
        network=draw(st.sampled_from(_NETWORKS[rail])),
        issuer=Issuer(
            "bank", draw(st.sampled_from((None, "DE", "US", "SA", "BR", "IN"))), draw(st.sampled_from(_TIME_ZONES))
        ),
        expires_on=draw(st.none() | st.dates(date(2026, 1, 1), date(2027, 12, 31))),
        mandate_id=draw(st.none() | st.just(f"mandate_{number}")),
        consented=draw(st.sampled_from((True, True, True, False))),
        processors=draw(st.sampled_from((("north",), ("north", "south"), ()))),
    )


@st.composite
def contexts(draw: st.DrawFn) -> Context:
    """Contexts of one to three methods and one to eight failures, around daylight-saving changes and year ends."""
    year_seconds = 2 * 365 * 86_400
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=draw(st.integers(0, year_seconds)))
    methods = [draw(_methods(number)) for number in range(draw(st.integers(1, 3)))]
    by_day = draw(st.sampled_from((False, False, False, True)))
    attempts: list[Attempt] = []
    for minutes in sorted(draw(st.sets(st.integers(0, 45 * 24 * 60), min_size=1, max_size=8)), reverse=True):
        method = draw(st.sampled_from(methods))
        attempts.append(
            failed(
                method,
                draw(st.sampled_from(_CODES[method.network])),
                ago=timedelta(minutes=minutes),
                now=now,
                advice_code=_advice(draw, method),
                payment_id=draw(st.sampled_from(("inv_1", "inv_1", "inv_0"))) if attempts else "inv_1",
                outcome=draw(st.sampled_from((Outcome.DECLINED, Outcome.DECLINED, Outcome.ERROR))),
                precision=Precision.DAY if by_day else Precision.INSTANT,
                initiator=draw(st.sampled_from((Initiator.MERCHANT, Initiator.CUSTOMER))),
            )
        )
    days = draw(st.floats(0.0, 70.0))
    return context(methods, attempts, now=now, days=days, market=draw(st.sampled_from((None, "DE", "web"))))


def _advice(draw: st.DrawFn, method: Method) -> str | None:
    if method.network is not Network.MASTERCARD:
        return None
    return draw(st.sampled_from((None, "01", "02", "03", "21", "24", "27", "30")))
