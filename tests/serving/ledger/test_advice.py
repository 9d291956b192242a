"""Words on advice in both databases: kept once, never changed, the latest of them in force."""

import itertools
from datetime import timedelta

import pytest

from cap_builders import NOW
from features.errors import CardNumberError, InvalidValueError
from serving.ledger.advice import (
    EVERYBODY,
    AdviceEvent,
    EmergencyStop,
    Word,
    advice_reasons,
    emergency_stops,
    tell_advice,
)
from serving.ledger.ledger import Ledger
from serving.ledger.reservations import ReasonCode
from serving.ledger.store import LedgerConflictError


def word(number: int, said: Word, minute: int, merchant_id: str = "acme", payment_id: str = "") -> AdviceEvent:
    return AdviceEvent(merchant_id, f"w{number}", said, NOW + timedelta(minutes=minute), f"why {number}", payment_id)


def against(ledger: Ledger, merchant_id: str = "acme", payment_id: str = "p1") -> list[ReasonCode]:
    with ledger.store.reading() as transaction:
        return [reason.code for reason in advice_reasons(transaction, merchant_id, payment_id)]


def test_the_latest_word_is_in_force_in_whatever_order_it_was_told(ledger: Ledger) -> None:
    words = [word(0, Word.STOPPED, 0), word(1, Word.RESUMED, 5), word(2, Word.STOPPED, 9), word(3, Word.RESUMED, 9)]
    for number, order in enumerate(itertools.permutations(words)):
        merchant_id = f"m{number}"
        for one in order:
            event = AdviceEvent(merchant_id, one.event_id, one.word, one.said_at, one.reason)
            assert tell_advice(ledger.store, event, NOW)
            assert not tell_advice(ledger.store, event, NOW)
        assert emergency_stops(ledger.store, merchant_id) == (
            EmergencyStop(merchant_id, "why 2", NOW + timedelta(minutes=9)),
        )


def test_each_stop_holds_for_those_it_names(ledger: Ledger) -> None:
    tell_advice(ledger.store, word(1, Word.STOPPED, 0, "acme", "p1"), NOW)
    assert against(ledger) == [ReasonCode.OPTED_OUT]
    assert against(ledger, payment_id="p2") == against(ledger, "other") == []
    tell_advice(ledger.store, word(2, Word.STOPPED, 0, "acme"), NOW)
    assert against(ledger, payment_id="p2") == [ReasonCode.ON_HOLD]
    assert against(ledger, "other") == []
    tell_advice(ledger.store, word(3, Word.STOPPED, 0, EVERYBODY), NOW)
    assert against(ledger, "other") == [ReasonCode.ON_HOLD]
    assert sorted(against(ledger)) == sorted([ReasonCode.ON_HOLD, ReasonCode.ON_HOLD, ReasonCode.OPTED_OUT])
    assert [one.merchant_id for one in emergency_stops(ledger.store)] == [EVERYBODY, "acme"]
    assert [one.merchant_id for one in emergency_stops(ledger.store, "other")] == [EVERYBODY]


def test_the_database_changes_and_removes_no_word(ledger: Ledger) -> None:
    tell_advice(ledger.store, word(1, Word.STOPPED, 0), NOW)
    for statement in ("UPDATE advice_event SET word = 'resumed';\n", "DELETE FROM advice_event;\n"):
        with (
            pytest.raises(LedgerConflictError, match="words on advice are never"),
            ledger.store.writing() as transaction,
        ):
            transaction.script(statement)
    assert against(ledger) == [ReasonCode.ON_HOLD]


def test_an_id_stands_for_one_word(ledger: Ledger) -> None:
    tell_advice(ledger.store, word(1, Word.STOPPED, 0), NOW)
    with pytest.raises(InvalidValueError, match="not used before for something else"):
        tell_advice(ledger.store, word(1, Word.RESUMED, 0), NOW)


def test_what_cannot_be_kept_is_refused() -> None:
    with pytest.raises(CardNumberError, match="reason"):
        AdviceEvent("acme", "w1", Word.STOPPED, NOW, "card 4242424242424242")
    with pytest.raises(InvalidValueError, match="200 printable"):
        AdviceEvent("acme", "w1", Word.STOPPED, NOW, "x" * 201)
    with pytest.raises(InvalidValueError, match="event_id"):
        AdviceEvent("acme", "", Word.STOPPED, NOW)
