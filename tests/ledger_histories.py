"""Random histories of attempts for a ledger, drawn by hypothesis."""

from dataclasses import replace

from hypothesis import strategies as st

from cap_builders import AMOUNT, a_method, an_attempt
from features.attempt import Attempt
from features.method import Method
from features.money import Money
from features.vocabulary import Initiator, Network, Outcome, Precision, Rail

METHODS = (
    a_method(Network.VISA, "visa"),
    a_method(Network.MASTERCARD, "mastercard"),
    a_method(Network.SEPA_CORE, "sepa", Rail.BANK_DEBIT, mandate_id="m1"),
    a_method(Network.SEPA_CORE, "sepa-again", Rail.BANK_DEBIT, mandate_id="m1"),
    a_method(Network.ACH, "ach", Rail.BANK_DEBIT, mandate_id="m2"),
    a_method(Network.ELO, "elo", country="BR"),
    a_method(Network.UNKNOWN, "wallet", Rail.WALLET),
)
CODES = ("51", "05", "43", "54", "1A", "AM04", "AC04", "R01", "R02", "ZZ")


@st.composite
def attempts(draw: st.DrawFn) -> tuple[Method, list[Attempt]]:
    """One method and many attempts of its customer, some long ago and some on other methods."""
    method = draw(st.sampled_from(METHODS))
    found = []
    for number in range(draw(st.integers(0, 12))):
        outcome = draw(st.sampled_from([Outcome.DECLINED] * 5 + [Outcome.APPROVED, Outcome.ERROR, Outcome.UNKNOWN]))
        made = an_attempt(
            draw(st.sampled_from([0.5, 1, 3, 25, 200, 719, 721, 745, 1439, 1500, 5000, 20_000])) + number / 1000,
            draw(st.sampled_from(CODES)),
            method=draw(st.sampled_from([method, method, *METHODS])),
            payment_id=draw(st.sampled_from(["pay", "pay", "other", "third"])),
            amount=draw(st.sampled_from([AMOUNT, AMOUNT, Money(999, "EUR")])),
            outcome=outcome,
            initiator=draw(st.sampled_from([*Initiator, Initiator.MERCHANT])),
            advice=draw(st.sampled_from([None, None, "03", "27"])),
            precision=draw(st.sampled_from([Precision.INSTANT, Precision.INSTANT, Precision.DAY])),
        )
        found.append(replace(made, attempt_id=f"a{number:02d}"))
    return method, found
