"""Fills a ledger with decisions as they are answered, to be computed again.

    python -m benchmarks.replaying fill DATABASE DECISIONS [PROCESSES]
    python -m benchmarks.replaying copy DATABASE TIMES
    python -m benchmarks.replaying cost DATABASE

`fill` decides about invented failures: most of them paid meanwhile, some with days left to recover, some with what
the ledger knows and a hold. `copy` keeps each of them so many times more, under other ids, where deciding anew would
take too long. `recoup replay --from 1970-01-01` computes them all again, and tells of each copy that its id is not its
own. `cost` prints what keeping one costs.
"""

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from random import Random
from statistics import median

import orjson

from serving.contexts import context_of
from serving.examples import EXAMPLES
from serving.keeping import keep, keep_versions
from serving.ledger.decisions import KeptDecision, count_between, decisions_between, kept_beside
from serving.ledger.ledger import Ledger
from serving.ledger.selecting import Selector
from serving.replaying import EVER
from serving.requests import parse_request
from serving.reserving import Decided, decide_and_reserve
from serving.service import prior_service

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
_DAYS_LEFT = (0.25, 1, 1, 2, 2, 3)
_LONG = 490  # one in so many has the whole 60 days
_OPEN = 7  # one in so many still has to be recovered; the others were paid meanwhile
_THROUGH_LEDGER = 20  # one in so many is told to the ledger, decided with what it knows, and held
_A_TRANSACTION = 200
_METHODS = 50_000


def fill(url: str, decisions: int, processes: int) -> None:
    """Decide so many times and say how long it took and what it takes up."""
    with closing(Ledger.opened(url)):
        pass
    began = time.perf_counter()
    shares = [(url, number, decisions, processes) for number in range(processes)]
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        done = sum(pool.map(_filled, shares))
    seconds = time.perf_counter() - began
    print(
        orjson.dumps({"decisions": done, "seconds": round(seconds, 1), "per_second": round(done / seconds, 1)}).decode()
    )


def _filled(share: tuple[str, int, int, int]) -> int:
    url, first, decisions, step = share
    service = prior_service()
    selector, waiting, done = Selector(service.rulebook), [], 0
    with closing(Ledger.opened(url)) as ledger:
        keep_versions(ledger, service)
        for number in range(first, decisions, step):
            now = START + timedelta(milliseconds=10 * number)
            context = context_of(parse_request(_request(number)), now)
            if number % _THROUGH_LEDGER == 0:
                decide_and_reserve(ledger, selector, service, context, now)
            else:
                waiting.append(kept_beside(Decided.by(service, context).kept(now)))
            done += 1
            if waiting and (len(waiting) == _A_TRANSACTION or number + step >= decisions):
                with ledger.store.writing(flushed=False) as transaction:
                    transaction.put_all(waiting[0][0], [row for _, row in waiting])
                waiting.clear()
    return done


def _request(number: int) -> bytes:
    """One of the worked examples, of a payment, a customer and a method of its own, failed lately."""
    random = Random(number)
    document = orjson.loads(EXAMPLES[number % len(EXAMPLES)].body)
    now = START + timedelta(milliseconds=10 * number)
    failed = now - timedelta(hours=random.randint(1, 48))
    days = 60.0 if number % _LONG == 0 else random.choice(_DAYS_LEFT)
    names = {one["method_id"]: f"pm_{random.randrange(_METHODS)}_{i}" for i, one in enumerate(document["methods"])}
    document.pop("as_of", None)
    document["payment"] |= {
        "payment_id": f"inv_{number}",
        "customer_id": f"cus_{random.randrange(_METHODS)}",
        "amount_minor": random.randint(500, 20_000),
        "due_at": failed.isoformat(),
        "recover_by": (now + timedelta(days=days)).isoformat(),
    }
    for one in document["methods"]:
        one["method_id"] = names[one["method_id"]]
    for place, one in enumerate(document["attempts"]):
        one |= {"attempt_id": f"att_{number}_{place}", "method_id": names[one["method_id"]]}
        if one.get("payment_id") and number % _OPEN:
            one["payment_id"] = f"inv_{number}"
        if one.get("payment_id") in (None, f"inv_{number}"):
            one |= {"attempted_at": (failed + timedelta(minutes=place)).isoformat()}
            one.pop("outcome_at", None)
    return orjson.dumps(document)


def copy(url: str, times: int) -> None:
    """Keep every decision so many times more."""
    with closing(Ledger.opened(url)) as ledger:
        every = list(decisions_between(ledger.store, *EVER))
        for time_ in range(times):
            with ledger.store.writing(flushed=False) as transaction:
                transaction.put_all("insert_decision", (kept_beside(_copied(kept, time_))[1] for kept in every))
        print(count_between(ledger.store, *EVER))


def _copied(kept: KeptDecision, number: int) -> KeptDecision:
    name, at = f"{kept.headline.decision_id}_{number}", kept.headline.answered_at + 1 + number
    return replace(kept, headline=replace(kept.headline, decision_id=name, answered_at=at))


def cost(url: str) -> None:
    """Milliseconds of deciding and of keeping, by turns, for each worked example."""
    service, figures = prior_service(), {}
    with closing(Ledger.opened(url)) as ledger:
        for example in EXAMPLES:
            context = context_of(parse_request(example.body), datetime.now(UTC))
            deciding, keeping, sizes = [], [], []
            for turn in range(30):
                began = time.perf_counter()
                decided = Decided.by(service, context)
                between = time.perf_counter()
                kept = decided.kept(START)
                keep(ledger, replace(kept, headline=replace(kept.headline, decision_id=f"dec_{example.name}_{turn}")))
                deciding.append(between - began)
                keeping.append(time.perf_counter() - between)
                sizes.append(len(kept.content))
            figures[example.name] = _figures(deciding, keeping, sizes)
    print(orjson.dumps(figures).decode())


def _figures(deciding: Sequence[float], keeping: Sequence[float], sizes: Sequence[int]) -> dict[str, float]:
    return {
        "decide_ms": round(median(deciding) * 1000, 3),
        "keep_ms": round(median(keeping) * 1000, 3),
        "share": round(median(k / d for d, k in zip(deciding, keeping, strict=True)), 4),
        "bytes": median(sizes),
    }


if __name__ == "__main__":
    if sys.argv[1] == "fill":
        fill(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else 1)
    elif sys.argv[1] == "copy":
        copy(sys.argv[2], int(sys.argv[3]))
    else:
        cost(sys.argv[2])
