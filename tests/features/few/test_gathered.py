"""What was read of a payment is read once, and has one user at a time."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from context_builders import card, context, failed
from features.action import Retry, Slot
from features.context import Context
from features.encoders import Encoders, learn
from features.few import gathered
from features.few.arrays import Gathered
from features.few.gathered import Gatherer
from features.few.reading import Reading
from features.table_of_contexts import from_contexts

PATIENCE_SECONDS = 60.0
FAILED = context((card(),), (failed(card()),))
Asked = tuple[Context, list[Retry]]


@pytest.fixture(scope="module")
def encoders() -> Encoders:
    return learn(from_contexts([(FAILED, ())]))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Reading]:
    """Every reading that was begun."""
    begun: list[Reading] = []

    def begin(encoders: Encoders) -> Reading:
        begun.append(Reading(encoders))
        return begun[-1]

    monkeypatch.setattr(gathered, "Reading", begin)
    return begun


def asked(about: Context = FAILED) -> list[Asked]:
    end = about.payment.recover_by
    slots = [Slot(about.as_of + (end - about.as_of) / n, end) for n in (4, 3, 2)]
    return [(about, [Retry(slot, method.method_id, "stripe") for slot in slots for method in about.methods])]


def same(one: Gathered, other: Gathered) -> bool:
    mine, others = (np.concatenate([np.ravel(array) for array in each]) for each in (one.payments, other.payments))
    return np.array_equal(mine, others, equal_nan=True) and np.array_equal(one.proposed.at, other.proposed.at)


def test_a_payment_is_read_once(encoders: Encoders, read: list[Reading]) -> None:
    gather = Gatherer(encoders)
    first = gather(asked())
    assert same(gather(asked()), first)
    assert len(read) == 1
    gather(asked(replace(FAILED)))
    assert len(read) == 2


def test_whoever_asks_meanwhile_reads_for_themselves(
    encoders: Encoders, read: list[Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two threads in one reading gave routes each other's numbers, and loops wrote beyond their arrays."""
    gather, inside, go_on = Gatherer(encoders), threading.Event(), threading.Event()
    gather(asked())
    payment, found = Reading.payment, []

    def stand_still(self: Reading, about: Context) -> int:
        if threading.current_thread() is other:
            inside.set()
            assert go_on.wait(PATIENCE_SECONDS)
        return payment(self, about)

    monkeypatch.setattr(Reading, "payment", stand_still)
    other = threading.Thread(target=lambda: found.append(gather(asked())), daemon=True)
    other.start()
    assert inside.wait(PATIENCE_SECONDS)
    mine = gather(asked())
    go_on.set()
    other.join(PATIENCE_SECONDS)
    assert len(read) == 2
    assert same(found[0], mine)


def test_a_reading_that_ended_in_an_error_is_not_used_again(
    encoders: Encoders, read: list[Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    gather = Gatherer(encoders)
    first = gather(asked())
    with monkeypatch.context() as patched:
        patched.setattr(Reading, "methods", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            gather(asked())
    assert same(gather(asked()), first)
    assert len(read) == 2
