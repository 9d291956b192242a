"""One function for training and serving, and nothing later than its decision."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from numpy.typing import NDArray

from builders import START, history, of_merchant, random_history, simple_classify
from features.action import Retry, Slot
from features.attempt import Attempt
from features.columns import COLUMNS, WORDS
from features.context import Context
from features.encoders import Encoders, from_json, learn
from features.few.frame import FewFrame
from features.frame import frame
from features.instants import MICROS_PER_DAY, from_micros
from features.method import Issuer, Method
from features.money import Money
from features.payment import Payment
from features.rows import Rows, rows_of_context, rows_of_history
from features.table import Asked, AttemptTable
from features.table_of_history import from_arrow
from features.vocabulary import Credential, Funding, Network, Outcome, Rail
from frames import NAMES, assert_same_columns, value


def _table(rows: pa.Table) -> AttemptTable:
    return from_arrow(rows, simple_classify)


def _context_of(rows: pa.Table, position: int, decided_at: int) -> tuple[Context, Retry]:
    """What a billing system would have sent at the decision of one attempt, and that attempt as a proposal."""
    records = rows.sort_by([("attempted_at", "ascending"), ("attempt_id", "ascending")]).to_pylist()
    asked, as_of = records[position], from_micros(decided_at)
    whose = ("merchant_id", "customer_id")
    theirs = [r for r in records if all(r[name] == asked[name] for name in whose)]
    past = [r for r in theirs if r["attempted_at"] <= as_of and r is not asked]
    methods = {r["method_id"]: _method(r) for r in [*past, asked]}
    attempts = tuple(_attempt(r, as_of) for r in past)
    payment = Payment(
        asked["payment_id"],
        asked["merchant_id"],
        asked["customer_id"],
        Money(asked["amount_minor"], asked["currency"]),
        due_at=START,
        recover_by=START + timedelta(days=400),
        market=asked["market"],
    )
    slot = Slot(asked["attempted_at"], asked["attempted_at"] + timedelta(hours=1))
    retry = Retry(slot, asked["method_id"], asked["processor"])
    return Context(payment, tuple(methods.values()), attempts, as_of, asked["customer_since"]), retry


def _method(record: dict[str, object]) -> Method:
    issuer = Issuer(str(record["issuer_id"]), str(record["issuer_country"]), bin=str(record["issuer_bin"]))
    return Method(
        str(record["method_id"]),
        Rail.CARD,
        Network(str(record["network"])),
        issuer,
        Funding(str(record["funding"])),
        Credential(str(record["credential"])),
        _expiry(record),
    )


def _expiry(record: dict[str, object]) -> date | None:
    expires_on = record["expires_on"]
    return expires_on if isinstance(expires_on, date) else None


def _attempt(record: dict[str, object], as_of: datetime) -> Attempt:
    """The attempt as a billing system tells it: without an outcome as long as there is none."""
    at, known_at = record["attempted_at"], record["outcome_at"]
    assert isinstance(at, datetime)
    assert isinstance(known_at, datetime)
    outcome = Outcome(str(record["outcome"])) if known_at <= as_of else Outcome.UNKNOWN
    code, advice = record["code"], record["advice_code"]
    decline = None
    if outcome is Outcome.DECLINED:
        text = None if advice is None else str(advice)
        decline = simple_classify(str(code), "", Network(str(record["network"])), None, text, None, at)
    return Attempt(
        str(record["attempt_id"]),
        str(record["payment_id"]),
        str(record["method_id"]),
        str(record["processor"]),
        Money(int(str(record["amount_minor"])), str(record["currency"])),
        at,
        outcome,
        decline=decline,
        outcome_at=known_at if known_at <= as_of else None,
        expires_on=_expiry(record),
        credential=Credential(str(record["credential"])),
    )


def varied_history(seed: int, attempts: int = 400) -> pa.Table:
    """A history with every optional field, in which a card keeps its network and funding, as a context states one.

    Expiry and form of the credential change in the middle of it, as when an updater renews a card.
    """
    rows = random_history(seed, attempts)
    methods, customers = rows["method_id"].to_pylist(), rows["customer_id"].to_pylist()
    renewed = [at > START + timedelta(days=20 + hash_of(m) % 9) for at, m in zip(_at(rows), methods, strict=True)]
    expiry = {True: date(2029, 5, 31), False: date(2026, 3, 31)}
    columns = {
        "network": [("visa", "mastercard")[hash_of(m) % 2] for m in methods],
        "funding": [("credit", "debit", "unknown")[hash_of(m) % 3] for m in methods],
        "issuer_bin": [f"4111{hash_of(m) % 7:02d}" for m in methods],
        "expires_on": [expiry[done] for done in renewed],
        "credential": [
            ("pan", "network_token")[done and hash_of(m) % 2] for done, m in zip(renewed, methods, strict=True)
        ],
        "currency": [("EUR", "JPY")[hash_of(c) % 2] for c in customers],
        "customer_since": [date(2025, 1, 1 + hash_of(c) % 28) for c in customers],
    }
    for name, values in columns.items():
        field = rows.schema.field(name)
        rows = rows.set_column(rows.schema.get_field_index(name), field, pa.array(values, field.type))
    return rows


def _at(rows: pa.Table) -> list[datetime]:
    return list(rows["attempted_at"].to_pylist())


@pytest.fixture(scope="module")
def varied() -> pa.Table:
    return varied_history(11)


def hash_of(text: str) -> int:
    return sum(text.encode())


def pending(rows: pa.Table) -> pa.Table:
    """The history with every ninth outcome unknown."""
    unknown = pa.array(np.arange(len(rows)) % 9 == 4)
    for name, instead in (("outcome", "unknown"), ("code", None)):
        place = rows.schema.get_field_index(name)
        changed = pc.if_else(unknown, pa.scalar(instead, pa.string()), rows[name])
        rows = rows.set_column(place, rows.schema.field(place), changed)
    return rows


def of_two_merchants(rows: pa.Table) -> pa.Table:
    """The history with its attempts dealt out between two merchants, who have all ids in common."""
    return of_merchant(rows, "acme", "other", "other", "acme", "acme")


@pytest.mark.parametrize("told", [lambda rows: rows, pending, of_two_merchants])
def test_serving_computes_every_column_exactly_as_training_did(
    varied: pa.Table, told: Callable[[pa.Table], pa.Table]
) -> None:
    varied = told(varied)
    table = _table(varied)
    encoders = learn(table)
    rows = rows_of_history(table)
    trained = frame(rows, encoders)
    assert len(rows) > 70

    asked: list[Asked] = []
    for i in range(len(rows)):
        context, retry = _context_of(varied, int(rows.index[i]), int(rows.decided_at[i]))
        served = frame(rows_of_context(context, [retry]), encoders)
        np.testing.assert_array_equal(served[0], trained[i], err_msg=str(dict(zip(NAMES, trained[i], strict=True))))
        asked.append((context, [retry]))
    assert_same_columns(FewFrame(encoders)(asked).matrix, trained)


def test_a_snapshot_kept_at_an_instant_answers_as_the_whole_history_did_then(varied: pa.Table) -> None:
    table = _table(varied)
    encoders = learn(table)
    rows = rows_of_history(table)
    then = int(np.median(rows.decided_at)) // MICROS_PER_DAY * MICROS_PER_DAY
    kept = from_json(encoders.to_json(then), then=True)
    assert 0 < kept.known_until <= then
    at_once = np.full(len(rows), then, dtype=np.int64)
    whole, snapshot = (one.rates(Rows(table, rows.index, at_once)) for one in (encoders, kept))
    for family, rate in whole.items():
        np.testing.assert_allclose(snapshot[family], rate, atol=1e-8, err_msg=family)


def test_a_snapshot_asked_about_the_past_answers_as_at_its_end(varied: pa.Table) -> None:
    table = _table(varied)
    rows = rows_of_history(table)
    kept = from_json(learn(table).to_json())
    early, end = (np.full(len(rows), at, dtype=np.int64) for at in (int(table.at.min()), kept.known_until))
    past, latest = (kept.rates(Rows(table, rows.index, at)) for at in (early, end))
    assert np.ptp(past["issuer"]) > 0.0
    for family in ("all", "issuer", "bin", "issuer_slot", "processor", "retry_issuer", "retry_month_day"):
        np.testing.assert_array_equal(past[family], latest[family], err_msg=family)


def test_decisions_of_many_customers_in_any_order_are_computed_as_each_alone(varied: pa.Table) -> None:
    table = _table(varied)
    encoders = learn(table)
    rows = rows_of_history(table)
    trained = frame(rows, encoders)
    for chosen in (np.random.default_rng(0).permutation(len(rows)), np.arange(3), np.array([len(rows) - 1])):
        some = Rows(table, rows.index[chosen], rows.decided_at[chosen])
        np.testing.assert_array_equal(frame(some, encoders), trained[chosen])


@pytest.mark.parametrize("seed", range(6))
def test_changing_everything_after_a_decision_changes_nothing_in_its_row(seed: int) -> None:
    rows = varied_history(seed, 300)
    rng = np.random.default_rng(seed)
    cut = START + timedelta(days=int(rng.integers(15, 40)))
    later = pc.greater(pc.coalesce(rows["outcome_at"], rows["attempted_at"]), pa.scalar(cut))
    flipped = pc.if_else(
        later, pc.if_else(pc.equal(rows["outcome"], "approved"), "declined", "approved"), rows["outcome"]
    )
    recoded = pc.if_else(later, "05", rows["code"])
    changed = rows.set_column(rows.schema.get_field_index("outcome"), rows.schema.field("outcome"), flipped)
    changed = changed.set_column(rows.schema.get_field_index("code"), rows.schema.field("code"), recoded)

    before, after = (_rows_decided_by(h, cut) for h in (rows, changed))

    assert len(before) > 20
    assert before.keys() == after.keys()
    for row, values in before.items():
        np.testing.assert_array_equal(values, after[row])


@pytest.mark.parametrize("seed", range(4))
def test_moving_everything_after_a_decision_changes_nothing_in_its_row(seed: int) -> None:
    rows = varied_history(seed, 300)
    cut = START + timedelta(days=32)
    moved = rows
    for name in ("attempted_at", "outcome_at"):
        shifted = [at + timedelta(days=5, hours=7) if at > cut else at for at in rows[name].to_pylist()]
        field = rows.schema.field(name)
        moved = moved.set_column(rows.schema.get_field_index(name), field, pa.array(shifted, field.type))
    renewed = [
        expiry.replace(year=2031) if at > cut else expiry
        for at, expiry in zip(_at(rows), rows["expires_on"].to_pylist(), strict=True)
    ]
    field = rows.schema.field("expires_on")
    moved = moved.set_column(rows.schema.get_field_index("expires_on"), field, pa.array(renewed, field.type))
    made = {i for i, at in zip(rows["attempt_id"].to_pylist(), _at(rows), strict=True) if at <= cut}

    before, after = (_rows_decided_by(h, cut) for h in (rows, moved))

    kept = before.keys() & made
    assert len(kept) > 20
    for row in kept:
        np.testing.assert_array_equal(before[row], after[row])


def test_dropping_the_future_changes_nothing_in_the_rows_before_it() -> None:
    rows = random_history(5, 300)
    cut = START + timedelta(days=30)
    shortened = rows.filter(pc.less_equal(rows["attempted_at"], pa.scalar(cut)))
    encoders = learn(_table(rows))
    before, after = (_rows_decided_by(h, cut, vocabularies=encoders) for h in (rows, shortened))
    kept = {row: values for row, values in before.items() if row in after}
    assert len(kept) > 20
    for row, values in kept.items():
        np.testing.assert_array_equal(values, after[row])


def _rows_decided_by(
    rows: pa.Table, cut: datetime, vocabularies: Encoders | None = None
) -> dict[str, NDArray[np.float32]]:
    """The rows decided by then, by attempt id.

    Words that only occur later would shift the codes of a vocabulary; what is tested here is values, not numbering.
    """
    table = _table(rows)
    asked = rows_of_history(table)
    matrix = frame(asked, learn(table, vocabularies))
    ids = rows["attempt_id"].to_pylist()
    return {
        ids[int(table.source_row[i])]: values
        for i, decided, values in zip(asked.index, asked.decided_at, matrix, strict=True)
        if from_micros(int(decided)) <= cut
    }


def test_encoders_survive_the_way_to_json_and_back() -> None:
    table = _table(random_history(2))
    encoders = learn(table).at_end()
    again = from_json(encoders.to_json())
    rows = rows_of_history(table)
    late = type(rows)(table, rows.index, np.full(len(rows), table.at.max() + 10**12))
    np.testing.assert_allclose(frame(late, again), frame(late, encoders), rtol=1e-6)
    assert again.to_json() == encoders.to_json()


def test_a_retry_is_decided_when_the_failure_before_it_became_known() -> None:
    late = [
        {"attempted_at": START, "outcome_at": START + timedelta(hours=20), "code": "51"},
        {"attempted_at": START + timedelta(hours=30), "code": "51"},
    ]
    rows = rows_of_history(_table(history(late)))
    assert [from_micros(int(t)) for t in rows.decided_at] == [START + timedelta(hours=20)]


def test_attempts_made_before_the_failure_was_known_are_not_retries() -> None:
    early = [
        {"attempted_at": START, "outcome_at": START + timedelta(hours=20), "code": "51"},
        {"attempted_at": START + timedelta(hours=10), "code": "51"},
    ]
    assert len(rows_of_history(_table(history(early)))) == 0


def test_attempts_after_an_approval_are_not_retries() -> None:
    paid = [{"code": "51"}, {"outcome": "approved"}, {"code": "51"}]
    assert rows_of_history(_table(history(paid))).index.tolist() == [1]


def test_first_attempts_have_rows_that_know_nothing_of_themselves() -> None:
    rows = rows_of_history(_table(history([{"outcome": "approved"}])), first_attempts=True)
    assert rows.decided_at[0] < rows.at[0]
    assert rows.of_customer.count.tolist() == [0]


def test_hours_are_unknown_where_only_the_day_is_known() -> None:
    days = [{"code": "51", "precision": "day"}, {"code": "51", "precision": "day"}]
    assert np.isnan(value("local_hour", history(days)))
    assert value("day_of_month", history(days)) == 3


def test_local_time_is_the_issuers_not_the_merchants() -> None:
    # 09:00 UTC on 3 March 2026 is noon in Riyadh.
    rows = history([{"code": "51", "issuer_country": "SA"}, {"code": "51", "issuer_country": "SA"}])
    assert value("local_hour", rows) == 12


def test_friday_is_no_banking_day_in_riyadh_but_sunday_is() -> None:
    friday, sunday = START + timedelta(days=4), START + timedelta(days=6)
    base = {"code": "51", "issuer_country": "SA"}
    assert value("banking_day", history([base, base | {"attempted_at": friday}])) == 0
    assert value("banking_day", history([base, base | {"attempted_at": sunday}])) == 1


def test_advice_counts_from_the_decline_that_gave_it() -> None:
    rows = history([{"code": "51", "advice_code": "27"}, {"code": "51", "attempted_at": START + timedelta(days=3)}])
    assert value("hours_beyond_advice", rows) == -24


def test_a_payment_sent_without_the_customers_past_leaves_the_past_unknown(varied: pa.Table) -> None:
    table = _table(varied)
    rows = rows_of_history(table)
    context, retry = _context_of(varied, int(rows.index[40]), int(rows.decided_at[40]))
    alone = Context(context.payment, context.methods, context.own_attempts, context.as_of, history_known=False)
    values = frame(rows_of_context(alone, [retry]), learn(table))[0]
    assert np.isnan(values[NAMES.index("customer_approvals")])
    assert values[NAMES.index("attempts_before")] == len(context.own_attempts)


# One rail and no word of authentication: what the history of these tests does not vary.
_CONSTANT_HERE = {"rail", "three_d_secure"}


def test_every_column_tells_rows_of_the_varied_history_apart(varied: pa.Table) -> None:
    table = _table(varied)
    matrix = frame(rows_of_history(table), learn(table))
    constant = {name for name, values in zip(NAMES, matrix.T, strict=True) if len(np.unique(values)) == 1}
    assert constant == _CONSTANT_HERE


def test_columns_about_the_context_are_the_same_for_every_action(varied: pa.Table) -> None:
    table = _table(varied)
    rows = rows_of_history(table)
    context, retry = _context_of(varied, int(rows.index[90]), int(rows.decided_at[90]))
    method = context.methods[0].method_id
    slots = [
        Slot(retry.slot.start + timedelta(hours=h), retry.slot.start + timedelta(hours=h + 1)) for h in (0, 9, 500)
    ]
    retries = [Retry(slot, m, p) for slot in slots for m in {method, retry.method_id} for p in ("north", "south")]
    matrix = frame(rows_of_context(context, retries), learn(table))
    for column, values in zip(COLUMNS, matrix.T, strict=True):
        assert column.about == "action" or len(np.unique(values)) == 1, column.name


def test_columns_are_named_once_and_explained() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert all(len(column.why) > 20 and column.unit for column in COLUMNS)
    assert WORDS.keys() <= {column.name for column in COLUMNS if column.kind == "category"}
