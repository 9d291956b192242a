"""The assignment written a second time, from the recipe in docs/experiments.md and on columns, as a warehouse would.

Run by itself it compares ten million assignments: `python -m benchmarks.experiments.assignment_elsewhere`.
"""

import hashlib
import sys
from collections.abc import Iterator, Mapping
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from experiments.allocation import divided
from experiments.assignment import bucket

_AT_ONCE = 200_000
Int64s = NDArray[np.int64]


def assigned_elsewhere(
    salt: str, merchant: str, count: int, weights: Mapping[str, float], hold_out: float, coverage: float
) -> Iterator[str | None]:
    """The variants of cus_0, cus_1, ...: thresholds in one sorted array, looked up for all buckets at once."""
    edges, names = edges_of(weights, hold_out, coverage)
    for start in range(0, count, _AT_ONCE):
        drawn = buckets_of(salt, merchant, range(start, min(start + _AT_ONCE, count)))
        yield from (names[i] for i in np.searchsorted(edges, drawn, side="right").tolist())


def buckets_of(salt: str, merchant: str, numbers: range) -> Int64s:
    """The buckets of many ids: digests side by side, then the six bytes as digits to the base of 256."""
    seed = hashlib.sha256(b"\x1f".join((salt.encode(), merchant.encode(), b"cus_")))
    digests = bytearray()
    for number in numbers:
        one = seed.copy()
        one.update(b"%d" % number)
        digests += one.digest()
    digits = np.frombuffer(bytes(digests), dtype=np.uint8).reshape(-1, 32)[:, :6].astype(np.int64)
    powers = np.array([256**5, 256**4, 256**3, 256**2, 256, 1], dtype=np.int64)
    found: Int64s = (digits @ powers) % 10_000
    return found


def edges_of(weights: Mapping[str, float], hold_out: float, coverage: float) -> tuple[Int64s, list[str | None]]:
    """Where the answer changes, rising, and the answer after each of these edges."""
    held, kept = round(hold_out * 10_000), round(coverage * 10_000)
    names = sorted(weights)
    before = np.concatenate([[0], np.cumsum([round(weights[name] * 10_000) for name in names])])
    starts = held + (10_000 - held) * before // 10_000
    lengths = np.diff(starts, prepend=0)
    starts, owners = np.concatenate([[0], starts[:-1]]), ["hold-out", *names]
    ends = starts + lengths * kept // 10_000
    edges: list[int] = []
    answers: list[str | None] = [None]
    for owner, start, end in zip(owners, starts.tolist(), ends.tolist(), strict=True):
        edges += [start, end]
        answers += [owner, None]
    return np.array(edges, dtype=np.int64), answers


class Step(TypedDict):
    """One change of coverage or weights."""

    at: str
    coverage: float | None
    weights: Mapping[str, float] | None


class Times(TypedDict):
    """An experiment over time, as the vectors tell of it."""

    salt: str
    merchant_id: str
    hold_out: float
    before: Step
    steps: list[Step]


def assigned_at(times: Times, unit_id: str, failed_at: str) -> tuple[str | None, float | None]:
    """Variant and propensity of a unit that first failed at an instant, by the steps up to then."""
    weights, coverage = times["before"]["weights"], 0.0
    for step in times["steps"]:
        if step["at"] <= failed_at:
            weights, coverage = step["weights"] or weights, coverage if step["coverage"] is None else step["coverage"]
    text = chr(0x1F).join((times["salt"], times["merchant_id"], unit_id))
    drawn = int(hashlib.sha256(text.encode()).hexdigest()[:12], 16) % 10_000
    edges, answers = edges_of(weights or {}, times["hold_out"], coverage)
    found = answers[int(np.searchsorted(edges, drawn, side="right"))]
    taken = [(name, end - start) for name, start, end in zip(answers[1::2], edges[::2], edges[1::2], strict=True)]
    share = sum(buckets for name, buckets in taken if name == found) / max(sum(buckets for _, buckets in taken), 1)
    return found, None if found is None else float(share)


def differing(count: int) -> int:
    """Of so many assignments, those on which the two implementations differ."""
    weights, hold_out, coverage = {"plan": 0.45, "fixed": 0.45, "greedy": 0.1}, 0.05, 0.8
    shares = divided(weights, hold_out, coverage)
    owner: list[str | None] = [next((s.variant for s in shares if s.holds(b)), None) for b in range(10_000)]
    theirs = assigned_elsewhere("nightly-salt", "acme", count, weights, hold_out, coverage)
    return sum(
        owner[bucket("nightly-salt", "acme", f"cus_{number}")] != variant for number, variant in enumerate(theirs)
    )


def main(count: int) -> int:
    """Compare; 1 if an assignment differs."""
    found = differing(count)
    sys.stdout.write(f"{count:,} assignments, {found:,} differ\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000))
