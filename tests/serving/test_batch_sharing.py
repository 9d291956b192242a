"""Lots of one batch done here and by a neighbour: the same answers in the same order, none twice, none forgotten."""

import asyncio
import copy
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256

import orjson
import pytest

from api_builders import START, Document, of_payment
from serving import batch_entries
from serving.batch import Entries, answered
from serving.batch_entries import Answering, keyed
from serving.batch_sharing import Sharing, for_neighbours
from serving.fairness import Fairness
from serving.ledger.answered import Asked, Claim, claim
from serving.ledger.decisions import decisions_before
from serving.ledger.ledger import Ledger
from serving.ledger_access import LedgerAccess
from serving.logs import service_log
from serving.neighbours import Lot, neighbours_in
from serving.service import Service
from serving.settings import Settings
from serving.tenancy.caller import Caller
from serving.tenancy.keys import Scope
from serving.trust.current import Current
from serving.workers_folder import FOLDER, folder_for_workers

LOG = service_log("json")
MERCHANT = Caller("acme", Scope.DECIDE, "k_1")


@pytest.fixture(autouse=True)
def _folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(FOLDER, "")
    with folder_for_workers():
        yield


@pytest.fixture
def access(settings: Settings, service: Service) -> Iterator[LedgerAccess]:
    ledger = Ledger.opened(settings.database)
    yield LedgerAccess(ledger, service.rulebook)
    ledger.close()


def entries_of(failed: Document, many: int) -> list[bytes]:
    theirs = copy.deepcopy(failed)
    theirs["payment"]["merchant_id"] = "other"
    several = [theirs if number == 3 else of_payment(failed, f"inv_{number}") for number in range(many)]
    return [orjson.dumps(one) for one in several]


def shared(answering: Answering, entries: list[bytes], theirs: Callable[[Lot], list[bytes]]) -> list[Document]:
    """What a call is answered with that is shared with one neighbour."""

    async def call() -> list[bytes]:
        with closing(await Sharing.begun(answering, neighbours_in(os.environ, LOG))) as sharing:
            lots = answered(Entries.listed(entries), sharing.answer, answering.refused, sharing.at_once)
            return [line async for lot in lots for line in lot]

    with neighbours_in(os.environ, LOG).listening(theirs):
        return [orjson.loads(line) for line in asyncio.run(call())]


def test_a_neighbour_answers_its_part_as_this_worker_would(
    access: LedgerAccess, service: Service, failed: Document
) -> None:
    answering = Answering(MERCHANT, Current(service), access, lambda: START, LOG, Fairness())
    theirs, done = for_neighbours(Current(service), access, lambda: START, LOG, Fairness()), Counter[int]()

    def counted(lot: Lot) -> list[bytes]:
        done.update(range(lot.first, lot.first + len(lot.entries)))
        return theirs(lot)

    entries = entries_of(failed, 12)
    alone = [orjson.loads(line) for line in answering.answers(0, entries)]
    assert shared(answering, entries, counted) == alone
    assert [one["status"] for one in alone] == [200] * 3 + [403] + [200] * 8
    assert 0 < len(done) < 12
    assert set(done.values()) == {1}
    assert access.ledger is not None
    assert len(decisions_before(access.ledger.store, "acme", None, 100, None)) == 11


def test_the_same_key_is_answered_once_whoever_works_on_it(
    access: LedgerAccess, service: Service, failed: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering = Answering(MERCHANT, Current(service), access, lambda: START, LOG, Fairness())
    theirs = for_neighbours(Current(service), access, lambda: START, LOG, Fairness())
    entries = [orjson.dumps(failed | {"idempotency_key": "k1"})] * 12
    found = shared(answering, entries, theirs)
    assert [one["status"] for one in found] == [200] * 12
    assert Counter(one["replayed"] for one in found) == {False: 1, True: 11}
    assert all(one["decision"] == found[0]["decision"] for one in found)
    monkeypatch.setattr(batch_entries, "PATIENCE_S", 0.05)
    body, key = keyed(orjson.dumps(failed | {"idempotency_key": "k2"}))
    assert key is not None
    elsewhere = Asked("acme", key, sha256(b"POST\n/v1/decisions/batch\n" + body).hexdigest())
    assert access.ledger is not None
    assert isinstance(claim(access.ledger.store, elsewhere, START), Claim)
    (line,) = answering.answers(0, [orjson.dumps(failed | {"idempotency_key": "k2"})])
    assert (orjson.loads(line)["status"], orjson.loads(line)["replayed"]) == (409, False)


def test_what_a_neighbour_was_lost_with_is_refused_and_the_rest_is_answered(
    access: LedgerAccess, service: Service, failed: Document
) -> None:
    def gone(lot: Lot) -> list[bytes]:
        raise OSError

    answering = Answering(MERCHANT, Current(service), access, lambda: START, LOG, Fairness())
    found = shared(answering, entries_of(failed, 12), gone)
    assert [one["index"] for one in found] == list(range(12))
    statuses = Counter(one["status"] for one in found)
    assert set(statuses) == {200, 403, 500}
    assert statuses[500] in {1, 2}  # one lot, of the first two
    assert "not known" in next(one for one in found if one["status"] == 500)["problem"]["detail"]


def test_an_entry_that_cannot_even_be_looked_at_fails_alone(
    access: LedgerAccess, service: Service, failed: Document
) -> None:
    answering = Answering(MERCHANT, Current(service), access, lambda: START, LOG, Fairness())
    good = orjson.dumps(failed)
    found = answering.answers(0, [good, None, good])  # type: ignore[list-item]  # what no caller can send
    assert [orjson.loads(one)["status"] for one in found] == [200, 500, 200]
