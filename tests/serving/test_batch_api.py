"""Many decisions in one call: in order, each by itself, streamed, under keys of their own, ended by who leaves."""

import asyncio
import copy
from collections.abc import Sequence
from contextlib import closing

import orjson
import pytest
from starlette.types import Message

from api_builders import Api, Document, of_payment, used
from serving.batch import LONGEST, MOST, MOST_AT_ONCE, Entries, Lines, answered
from serving.errors import Kind, RequestError
from serving.ledger.ledger import Ledger
from serving.ledger.opening import store_at
from serving.service import Service
from serving.settings import Settings
from tenants import tenants_of

BATCH = "/v1/decisions/batch"


def lines_of(*entries: object) -> bytes:
    return b"\n".join(one if isinstance(one, bytes) else orjson.dumps(one) for one in entries)


def streamed(api: Api, body: bytes, headers: Sequence[tuple[str, str]] = (), chunk: int = 1_000) -> list[Document]:
    """What a stream of lines is answered with, sent in chunks."""
    started, sent = called(api, body, headers, chunk)
    assert started["status"] == 200, sent
    return [orjson.loads(line) for line in b"".join(sent).splitlines()]


def called(
    api: Api,
    body: bytes,
    headers: Sequence[tuple[str, str]] = (),
    chunk: int = 1_000,
    kind: str = "application/x-ndjson",
) -> tuple[Message, list[bytes]]:
    chunks = [body[i : i + chunk] for i in range(0, len(body), chunk)] or [b""]
    told: list[Message] = []

    async def call() -> None:
        waiting = [{"type": "http.request", "body": one, "more_body": True} for one in chunks]
        waiting[-1]["more_body"] = False
        ended = asyncio.Event()

        async def receive() -> Message:
            if waiting:
                return waiting.pop(0)
            await ended.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            told.append(message)

        given = [("content-type", kind), *api.headers.items(), *headers]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": BATCH, "raw_path": BATCH.encode(), "query_string": b"", "root_path": "",
            "headers": [(k.lower().encode(), v.encode()) for k, v in given],
            "client": ("127.0.0.1", 1), "server": ("recoup", 80),
        }  # fmt: skip
        await api.app(scope, receive, send)
        ended.set()

    asyncio.run(call())
    return told[0], [message["body"] for message in told[1:]]


def test_each_entry_is_answered_in_its_place_as_a_call_of_its_own_would_be(api: Api, failed: Document) -> None:
    several = [of_payment(failed, f"inv_{i}") for i in range(6)]
    alone = api.at_once(several)
    assert [one["decision"] for one in streamed(api, lines_of(*several))] == alone
    array = orjson.loads(api.send("POST", BATCH, several).content)
    assert array == [{"index": i, "status": 200, "replayed": False, "decision": one} for i, one in enumerate(alone)]


def test_what_is_wrong_with_one_spoils_no_other_and_is_told_as_of_its_own_call(api: Api, failed: Document) -> None:
    wrong = copy.deepcopy(failed)
    wrong["payment"]["currency"] = "EURO"
    card = copy.deepcopy(failed)
    card["methods"][0]["method_id"] = card["attempts"][0]["method_id"] = "4242424242424242"
    body = lines_of(failed, b"{not json", b"", wrong, card, b"[]", failed)
    found = streamed(api, body)
    assert [(one["index"], one["status"]) for one in found] == [
        (0, 200),
        (1, 400),
        (2, 422),
        (3, 422),
        (4, 422),
        (5, 200),
    ]
    assert found[2]["problem"]["errors"][0]["field"] == "payment.currency"
    assert found[2]["problem"]["type"] == api.post("/v1/decisions", wrong, 422)["type"]
    assert b"4242424242424242" not in orjson.dumps(found)
    assert found[0]["decision"] == found[5]["decision"]


def test_places_are_held_for_each_and_a_payment_twice_is_held_once(api: Api, failed: Document) -> None:
    several = [of_payment(failed, f"inv_{i}") | {"reserve": True} for i in (0, 1, 0)]
    found = [one["decision"]["reservation"] for one in streamed(api, lines_of(*several))]
    held = {one["reservation_id"]: one["payment_id"] for one in found if one}
    assert sorted(held.values()) == ["inv_0", "inv_1"]
    assert len(api.get("/v1/reservations?merchant_id=acme")["reservations"]) == 2


def test_an_entry_under_a_key_is_answered_once(api: Api, failed: Document) -> None:
    entry = failed | {"reserve": True, "idempotency_key": "k1"}
    (first,) = streamed(api, lines_of(entry))
    again = streamed(api, lines_of(entry, dict(reversed(entry.items())), of_payment(entry, "inv_2"), failed))
    assert (first["replayed"], first["decision"]["reservation"]["state"]) == (False, "held")
    assert [one["replayed"] for one in again] == [True, True, False, False]
    assert again[0]["decision"] == again[1]["decision"] == first["decision"]
    assert (again[2]["status"], again[2]["problem"]["type"]) == (409, "urn:recoup:problem:idempotency-key-reused")
    assert used(api) == 1  # one hold


def test_the_same_key_twice_in_one_call_is_answered_from_what_was_kept(api: Api, failed: Document) -> None:
    entry = failed | {"idempotency_key": "k1"}
    # The first entry of a call is worked on alone; the next two are worked on together.
    alone, first, again, other = streamed(api, lines_of(failed, entry, entry, of_payment(failed, "inv_2")))
    assert [one["replayed"] for one in (alone, first, again, other)] == [False, False, True, False]
    assert first["decision"] == again["decision"]


def test_what_cannot_be_kept_is_refused_entry_by_entry_and_counted_for_nothing(
    api: Api, failed: Document, settings: Settings
) -> None:
    def change(statement: str) -> None:
        with closing(store_at(settings.database)) as store, store.writing() as transaction:
            transaction.script(f"{statement};\n")

    several = [of_payment(failed, f"inv_{i}") | {"idempotency_key": f"k{i}"} for i in range(3)]
    change("ALTER TABLE decision RENAME TO decision_elsewhere")
    assert [one["status"] for one in streamed(api, lines_of(*several, b"{"))] == [503, 503, 503, 400]
    assert b"recoup_decisions_total{" not in api.send("GET", "/metrics").content
    change("ALTER TABLE decision_elsewhere RENAME TO decision")
    found = streamed(api, lines_of(*several))  # at once: nobody works on them any more
    assert [(one["status"], one["replayed"]) for one in found] == [(200, False)] * 3
    assert len(api.get("/v1/decisions?merchant_id=acme")["decisions"]) == 3


def test_one_key_for_the_whole_call_is_refused(api: Api, failed: Document) -> None:
    started, body = called(api, lines_of(failed), [("idempotency-key", "k1")])
    assert started["status"] == 422
    assert b"idempotency_key of its own" in body[0]


def test_bodies_that_hold_no_entries_are_refused(api: Api) -> None:
    for body, status in ((b"{}", 422), (b"[]", 422), (b"[", 400), (b"", 400)):
        assert called(api, body, kind="application/json")[0]["status"] == status
    assert called(api, b"[]", kind="text/plain")[0]["status"] == 415
    assert streamed(api, b"\n\n") == []


def test_a_line_or_a_stream_that_is_too_long_ends_it_with_a_refusal(api: Api, failed: Document) -> None:
    found = streamed(api, lines_of(failed, b'"' + b"x" * 1_000_001 + b'"', failed), chunk=200_000)
    assert [(one["index"], one["status"]) for one in found] == [(0, 200), (1, 413)]
    lines = Lines(100)
    assert lines.ended_by(b"a\nb\n\nc") == [b"a", b"b"]
    assert lines.rest() == [b"c"]
    with pytest.raises(RequestError, match="more than 10,000 lines"):
        lines.ended_by(b"x\n" * MOST)
    with pytest.raises(RequestError, match="larger than"):
        Lines(LONGEST * 2).ended_by(b" " * (LONGEST + 1))


def test_a_key_decides_about_its_own_merchant_only(settings: Settings, service: Service, failed: Document) -> None:
    ledger = Ledger.opened(settings.database)
    mine = tenants_of(settings, service, ledger).of("acme")
    theirs = copy.deepcopy(failed)
    theirs["payment"]["merchant_id"] = "other"
    assert [one["status"] for one in streamed(mine, lines_of(failed, theirs))] == [200, 403]
    ledger.close()


class Caller:
    """Reads answers; counts what was worked on, and how much of it at once."""

    def __init__(self) -> None:
        self.begun = self.at_work = self.most = 0
        self.lots: list[int] = []

    async def answer(self, number: int, entries: Sequence[bytes]) -> list[bytes]:
        assert number == self.begun
        self.begun += len(entries)
        self.lots.append(len(entries))
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        await asyncio.sleep(0)
        self.at_work -= 1
        return list(entries)

    async def read(self, entries: Entries, most: int, at_once: int = 1) -> list[bytes]:
        found: list[bytes] = []
        lots = answered(entries, self.answer, lambda number, error: b"refused", at_once)
        async for lot in lots:
            found += lot
            if len(found) >= most:
                break
        await lots.aclose()
        return found


@pytest.mark.parametrize("at_once", [1, 3])
def test_nothing_is_worked_on_far_ahead_of_who_reads(at_once: int) -> None:
    caller, whole = Caller(), Caller()
    wanted = [b"%d" % i for i in range(1_000)]
    read = asyncio.run(caller.read(Entries.listed(wanted), 10, at_once))
    assert read == wanted[: len(read)]
    assert caller.begun <= len(read) + 2 * at_once * MOST_AT_ONCE
    assert asyncio.run(whole.read(Entries.listed(wanted), 2_000, at_once)) == wanted
    assert (caller.most, whole.most) == (at_once, at_once)


def test_the_first_entry_is_answered_alone_and_then_more_at_a_time() -> None:
    caller = Caller()
    asyncio.run(caller.read(Entries.listed([b"x"] * 30), 30))
    assert caller.lots == [1, 2, 4, 4, 4, 4, 4, 4, 3]


def test_the_last_lots_are_shared_so_that_all_end_together() -> None:
    caller = Caller()
    asyncio.run(caller.read(Entries.listed([b"x"] * 20), 20, 2))
    assert caller.lots == [1, 2, 4, 4, 4, 3, 1, 1]


def test_who_is_done_first_goes_on_while_others_are_not() -> None:
    """Answers keep their order; the lots after a slow one are worked on meanwhile, but not without end."""

    async def talk() -> tuple[list[list[bytes]], list[list[bytes]]]:
        slow, begun, told = asyncio.Event(), list[list[bytes]](), list[list[bytes]]()

        async def answer(number: int, some: Sequence[bytes]) -> list[bytes]:
            begun.append([*some])
            if number == 0:
                await slow.wait()
            return [*some]

        async def read() -> None:
            entries = Entries.listed([b"%d" % i for i in range(40)])
            told.extend([lot async for lot in answered(entries, answer, lambda number, error: b"refused", 2)])

        reading = asyncio.create_task(read())
        for _ in range(50):
            await asyncio.sleep(0)
        meanwhile = [*begun]
        slow.set()
        await asyncio.wait_for(reading, 5)
        assert [one for lot in told for one in lot] == [b"%d" % i for i in range(40)]
        return meanwhile, begun

    meanwhile, begun = asyncio.run(talk())
    assert len(meanwhile) == 4
    assert len(begun) > 4


def test_an_answer_does_not_wait_for_the_next_entry() -> None:
    async def talk() -> list[bytes]:
        entries, found = Entries(), list[bytes]()
        lots = answered(entries, Caller().answer, lambda number, error: b"refused")
        for word in (b"one", b"two"):
            entries.put(word)
            found += await asyncio.wait_for(anext(lots), 5)
        entries.put(RequestError(Kind.TOO_LARGE, "too much"))
        found += await anext(lots)
        return found

    assert asyncio.run(talk()) == [b"one", b"two", b"refused"]


def test_who_hangs_up_ends_the_work() -> None:
    async def hang_up() -> tuple[int, int]:
        entries, caller, told = Entries.listed([b"x"] * 50), Caller(), 0
        async for lot in answered(entries, caller.answer, lambda number, error: b""):
            told += len(lot)
            if told == 3:
                entries.leave()
        return told, caller.begun

    told, begun = asyncio.run(hang_up())
    assert told == 3
    assert begun <= 3 + MOST_AT_ONCE
