"""Events reach a real server signed, again until it accepts them, and never go where they were not sent."""

import asyncio
import io
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from threading import Thread

import pytest

from api_builders import Clock
from cap_builders import NOW, a_payment
from event_builders import OUTBOX
from serving.events_out import delivering as module
from serving.events_out import posting, queue
from serving.events_out.addresses import Reach
from serving.events_out.delivering import Delivering, delivering
from serving.events_out.lapsing import lapsing
from serving.events_out.posting import Outcome, post, posting_client
from serving.events_out.queue import LEASE, MOST_TRIES, Receiver, State, pause_after
from serving.events_out.shares import MOST_A_RECEIVER
from serving.events_out.targets import Target, Targets
from serving.ledger.ledger import Ledger
from serving.ledger.outbox import Outbox
from serving.ledger.recoveries import Stopped
from serving.ledger_access import LedgerAccess
from serving.logs import service_log
from serving.service import prior_service
from serving.webhooks.signatures import GENERIC, Signed, verified

TRUST = ssl.create_default_context()
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"


@dataclass
class Server:
    """A server of the merchant's: what it got, and how it answers."""

    url: str = ""
    status: int = 204
    answer: bytes = b""
    location: str = ""
    got: list[Signed] = field(default_factory=list)


@contextmanager
def serving(receiver: Server) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.got.append(Signed({k.lower(): v for k, v in self.headers.items()}, {}, body))
            self.send_response(receiver.status)
            if receiver.location:
                self.send_header("location", receiver.location)
            self.send_header("content-length", str(len(receiver.answer)))
            self.end_headers()
            with suppress(ConnectionError):
                self.wfile.write(receiver.answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        receiver.url = f"http://127.0.0.1:{server.server_port}/recoup?x=1"
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def receiver() -> Iterator[Server]:
    with serving(Server()) as made:
        yield made


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger with one final event to be sent."""
    with closing(Ledger.opened(f"sqlite:///{tmp_path}/l.db?synchronous=normal", outbox=OUTBOX)) as made:
        made.tell_stop(a_payment(), Stopped("not_worth_it", True), NOW)
        yield made


def target(url: str, reach: Reach = Reach.LOOPBACK) -> Target:
    return Target("acme", "billing", url, (SECRET,), reach)


def worker(ledger: Ledger, url: str, clock: Clock) -> Delivering:
    access = LedgerAccess(ledger, prior_service().rulebook)
    return Delivering(access, Targets((target(url),)), service_log("json", io.StringIO()), clock)


def turn(*workers: Delivering) -> list[int]:
    async def run() -> list[int]:
        return await asyncio.gather(*(one.send_due(never) for one in workers))

    return asyncio.run(run())


async def comes(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def never() -> None:
    await asyncio.Event().wait()


def states(ledger: Ledger) -> dict[str, int]:
    return {one.state: one.events for one in queue.counts(ledger.store)}


def test_an_event_arrives_signed_once_and_as_it_is_kept(receiver: Server, ledger: Ledger) -> None:
    clock = Clock(NOW)
    assert turn(worker(ledger, receiver.url, clock)) == [1]
    (got,) = receiver.got
    assert verified(GENERIC, [SECRET], got, NOW)
    assert got.body.decode() == queue.found(ledger.store, got.headers["webhook-id"]).body
    assert json.loads(got.body)["type"] == "recovery.exhausted"
    assert turn(worker(ledger, receiver.url, clock)) == [0]
    assert states(ledger) == {"delivered": 1}


def test_what_is_not_accepted_is_sent_again_under_the_same_id_after_longer_and_longer_pauses(
    receiver: Server, ledger: Ledger
) -> None:
    clock, receiver.status = Clock(NOW), 500
    one = worker(ledger, receiver.url, clock)
    pauses: list[int] = []

    async def until_given_up() -> None:
        while states(ledger) == {"waiting": 1}:
            assert [await one.send_due(never), await one.send_due(never)] == [1, 0]
            (shown,) = queue.listed(ledger.store, State.WAITING, 9) or queue.listed(ledger.store, State.FAILED, 9)
            assert shown.reason == "answered 500"
            pauses.append((shown.next_at or shown.touched_at) - shown.touched_at)
            clock.now += timedelta(microseconds=pauses[-1])

    asyncio.run(until_given_up())
    assert len(pauses) == len(receiver.got) == MOST_TRIES
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    assert states(ledger) == {"failed": 1}
    assert 2_500_000 <= pauses[0] <= 5_000_000
    assert timedelta(days=2) < timedelta(microseconds=sum(pauses)) < timedelta(days=4)
    receiver.status = 200
    assert queue.replay_failed(ledger.store, clock.now) == 1
    turn(one)
    assert states(ledger) == {"delivered": 1}


def test_a_pause_doubles_and_is_drawn() -> None:
    draw = Random(1)
    for tries in range(1, MOST_TRIES + 1):
        longest = min(5.0 * 2 ** (tries - 1), 6 * 3600.0)
        drawn = {pause_after(tries, draw).total_seconds() for _ in range(20)}
        assert len(drawn) == 20
        assert longest / 2 <= min(drawn) <= max(drawn) <= longest


def test_several_workers_send_an_event_once_and_take_over_from_one_that_died(receiver: Server, ledger: Ledger) -> None:
    clock = Clock(NOW)
    (dead,) = queue.claimed(ledger.store, clock.now, {Receiver("acme", "billing"): 10})
    workers = [worker(ledger, receiver.url, clock) for _ in range(3)]
    assert turn(*workers) == [0, 0, 0]
    clock.now += LEASE
    assert sorted(turn(*workers)) == [0, 0, 1]
    assert len(receiver.got) == 1
    queue.refused(ledger.store, dead, "late", clock.now, timedelta(seconds=1))
    assert states(ledger) == {"delivered": 1}


def test_a_redirect_is_not_followed(receiver: Server, ledger: Ledger) -> None:
    with serving(Server()) as inside:
        receiver.status, receiver.location = 307, inside.url
        turn(worker(ledger, receiver.url, Clock(NOW)))
        assert inside.got == []
    assert queue.listed(ledger.store, State.WAITING, 9)[0].reason == "answered 307"


def test_a_receiver_that_is_gone_is_not_asked_again(receiver: Server, ledger: Ledger) -> None:
    receiver.status = 410
    turn(worker(ledger, receiver.url, Clock(NOW)))
    assert states(ledger) == {"failed": 1}


def posted(at: Target, *addresses: str) -> Outcome:
    async def resolve(host: str, port: int) -> list[str]:
        if not addresses:
            raise OSError
        return list(addresses)

    async def run() -> Outcome:
        async with posting_client(TRUST) as client:
            return await post(client, at, "evt_1", b"{}", 0, resolve)

    return asyncio.run(run())


def test_the_connection_goes_to_the_address_that_was_judged_under_the_hosts_name(receiver: Server) -> None:
    named = target(receiver.url.replace("127.0.0.1", "billing.invalid"))
    assert posted(named, "127.0.0.1") == Outcome(True)
    assert receiver.got[0].headers["host"].startswith("billing.invalid:")


@pytest.mark.parametrize("addresses", [("10.0.0.1",), ("127.0.0.1", "10.0.0.1"), ("169.254.169.254",), ()])
def test_a_name_that_leads_inside_gets_nothing(receiver: Server, addresses: tuple[str, ...]) -> None:
    named = target(receiver.url.replace("127.0.0.1", "billing.invalid"))
    assert not posted(named, *addresses).accepted
    outside = replace(named, reach=Reach.PUBLIC)
    assert not posted(outside, *(addresses or ("127.0.0.1",))).accepted
    assert receiver.got == []


def test_a_fault_in_one_sending_is_told_of_it(receiver: Server) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise UnicodeError

    async def run(at: Target) -> Outcome:
        async with posting_client(TRUST) as client:
            return await post(client, at, "evt_1", b"{}", 0, resolve)

    assert asyncio.run(run(target(receiver.url))) == Outcome(False, "could not be sent (UnicodeError)")


def test_an_answer_without_end_is_not_read(receiver: Server) -> None:
    receiver.answer = b"x" * 50_000_000
    assert posted(target(receiver.url), "127.0.0.1") == Outcome(True)


@pytest.mark.parametrize(("status", "outcome"), [(200, Outcome(True)), (500, Outcome(False, "answered 500"))])
def test_the_status_decides_before_the_rest_of_a_slow_answer_comes(
    status: int, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "TIMEOUT_S", 2.0)
    cut_off = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 %d So\r\ncontent-length: 1000000\r\n\r\n" % status)
        with suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.01)
        cut_off.set()
        writer.close()

    async def run() -> Outcome:
        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        async with server, posting_client(TRUST) as client:
            at = target(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
            told = await post(client, at, "evt_1", b"{}", 0)
            await asyncio.wait_for(cut_off.wait(), 5)
        return told

    assert asyncio.run(run()) == outcome


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "TIMEOUT_S", 0.05)

    async def run(port: int) -> Outcome:
        async with posting_client(TRUST) as client:
            return await post(client, target(f"http://127.0.0.1:{port}/"), "evt_1", b"{}", 0)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        outcome = asyncio.run(run(silent.getsockname()[1]))
    assert outcome.reason.startswith("no answer within")


def test_the_service_sends_while_it_runs(receiver: Server, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY_SECONDS", 0.01)
    access, log = LedgerAccess(ledger, prior_service().rulebook), service_log("json", io.StringIO())
    asyncio.run(_until(lambda: bool(receiver.got), access, Targets((target(receiver.url),)), log))
    assert states(ledger) == {"delivered": 1}


async def _until(done: Callable[[], bool], access: LedgerAccess, targets: Targets, log: object) -> None:
    async with delivering(access, targets, log, lambda: NOW):  # type: ignore[arg-type]
        for _ in range(500):
            if done():
                await asyncio.sleep(0.1)
                return
            await asyncio.sleep(0.01)


def two_merchants(tmp_path: Path, slow_events: int) -> Ledger:
    """A ledger in which the events of one wait longer than the one event of the other."""
    outbox = Outbox({"acme": ("billing",), "beta": ("billing",)})
    made = Ledger.opened(f"sqlite:///{tmp_path}/l.db?synchronous=normal", outbox=outbox)
    for i in range(slow_events):
        made.tell_stop(a_payment(f"inv_{i}"), Stopped("not_worth_it", True), NOW - timedelta(minutes=1))
    made.tell_stop(replace(a_payment("inv_b"), merchant_id="beta"), Stopped("not_worth_it", True), NOW)
    return made


def test_a_receiver_that_hangs_delays_nobody_else_and_rests(
    receiver: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "TIMEOUT_S", 3.0)
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        await asyncio.sleep(0 if host == "quick.invalid" else 3600)
        return ["127.0.0.1"]

    quick = receiver.url.replace("127.0.0.1", "quick.invalid")
    targets = Targets((target("http://slow.invalid/"), replace(target(quick), merchant_id="beta")))

    async def run() -> None:
        sending = asyncio.create_task(one.send_due(never))
        await comes(lambda: bool(receiver.got))
        assert asked.count("slow.invalid") <= MOST_A_RECEIVER
        assert not sending.done()
        assert await sending == MOST_A_RECEIVER + 1
        assert await one.send_due(never) == 0
        clock.now += timedelta(seconds=6)
        assert await one.send_due(never) == 1

    with closing(two_merchants(tmp_path, 40)) as ledger:
        clock = Clock(NOW)
        access = LedgerAccess(ledger, prior_service().rulebook)
        one = Delivering(access, targets, service_log("json", io.StringIO()), clock, resolve)
        asyncio.run(run())
        assert states(ledger) == {"delivered": 1, "waiting": 40}


def test_what_becomes_due_while_a_receiver_is_slow_is_sent_meanwhile(receiver: Server, tmp_path: Path) -> None:
    released = asyncio.Event()

    async def resolve(host: str, port: int) -> list[str]:
        if host == "slow.invalid":
            await released.wait()
        return ["127.0.0.1"]

    quick = receiver.url.replace("127.0.0.1", "quick.invalid")
    targets = Targets((target("http://slow.invalid:1/"), replace(target(quick), merchant_id="beta")))

    async def run() -> None:
        sending = asyncio.create_task(one.send_due(lambda: asyncio.sleep(0.01)))
        await comes(lambda: len(receiver.got) == 1)
        about = replace(a_payment("inv_c"), merchant_id="beta")
        await access.ask(lambda ledger: ledger.tell_stop(about, Stopped("not_worth_it", True), NOW))
        await comes(lambda: len(receiver.got) == 2)
        released.set()
        await sending

    with closing(two_merchants(tmp_path, 1)) as ledger:
        access = LedgerAccess(ledger, prior_service().rulebook)
        one = Delivering(access, targets, service_log("json", io.StringIO()), Clock(NOW), resolve)
        asyncio.run(run())
        assert states(ledger) == {"delivered": 2, "waiting": 1}


def test_recoveries_end_whatever_becomes_of_what_is_sent(ledger: Ledger) -> None:
    payment = a_payment("inv_2")
    limited = Stopped("no_allowed_action", for_good=False, payer_could=("add another payment method",))
    ledger.tell_stop(payment, limited, NOW)
    access, log = LedgerAccess(ledger, prior_service().rulebook), service_log("json", io.StringIO())

    def exhausted() -> int:
        return sum(one.events for one in queue.counts(ledger.store) if one.type == "recovery.exhausted")

    async def run() -> None:
        async with lapsing(access, Targets((target("http://slow.invalid/"),)), log, lambda: payment.recover_by):
            await comes(lambda: exhausted() == 2)

    assert exhausted() == 1
    asyncio.run(run())
