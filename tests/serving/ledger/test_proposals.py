"""A proposal comes back from its row as it was written, whatever it says and whichever version wrote it."""

from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime

import orjson
import pytest

from cap_builders import a_method, a_payment
from features.method import Issuer, Method
from features.payment import Payment
from features.vocabulary import Credential, Funding, Initiator, Network, Rail
from ledger_builders import a_proposal
from model.caps.engine import Proposal
from serving.ledger.proposals import read, written

FULL = Proposal(
    replace(a_payment("pay"), customer_id="cus_1", market="DE", merchant_country="NL", purpose="rent"),
    Method(
        "mandated",
        Rail.BANK_DEBIT,
        Network.SEPA_CORE,
        Issuer("Bank", "FR", "Europe/Paris", "411111"),
        Funding.DEBIT,
        Credential.NETWORK_TOKEN,
        date(2027, 1, 31),
        "mandate_1",
        False,
        ("north", "south"),
    ),
    "south",
    Initiator.CUSTOMER,
    datetime(2026, 11, 20, 8, 15, 30, 123456, tzinfo=UTC),
)


def with_defaults() -> Proposal:
    payment = a_payment("pay")
    plain = Payment("pay", "acme", "cus", payment.amount, payment.due_at, payment.recover_by)
    return Proposal(plain, Method("card", Rail.CARD), "north")


def values_in(thing: object) -> list[object]:
    if not is_dataclass(thing):
        return [thing]
    return [value for field in fields(thing) for value in values_in(getattr(thing, field.name))]


@pytest.mark.parametrize("proposal", [FULL, a_proposal(), with_defaults(), a_proposal("other", a_method())])
def test_a_proposal_comes_back_as_it_was_written(proposal: Proposal) -> None:
    assert read(written(proposal)) == proposal


def test_every_field_is_tried_with_another_value_than_its_default() -> None:
    plain = values_in(with_defaults())
    assert [value for value, default in zip(values_in(FULL), plain, strict=True) if value == default] == [
        *(FULL.payment.payment_id, FULL.payment.merchant_id),
        *(FULL.payment.amount.amount_minor, FULL.payment.amount.currency),
        *(FULL.payment.due_at, FULL.payment.recover_by),
    ]


@pytest.mark.parametrize("proposal", [FULL, with_defaults()])
def test_rows_of_earlier_versions_hold_all_of_it_by_name(proposal: Proposal) -> None:
    whole = {field.name: getattr(proposal, field.name) for field in fields(Proposal)}
    assert read({**written(proposal), "proposal": orjson.dumps(whole).decode()}) == proposal


def test_what_a_shorter_row_does_not_have_takes_its_default() -> None:
    row = written(FULL)
    values = orjson.loads(str(row["proposal"]))
    assert read({**row, "proposal": orjson.dumps(values[:-1]).decode()}) == replace(FULL, decided_at=None)
