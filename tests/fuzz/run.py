"""The nightly run: a million random histories on every core, engine against definitions; `make fuzz`.

`FUZZ_HISTORIES` and `FUZZ_SEED` change how many and which. Ends with exit code 1 if anything differs.
"""

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fuzz.judging import Score, judge

HISTORIES = 1_000_000
BATCH = 2_000
_LINES_EVERY_SECONDS = 30.0


def main() -> int:
    """Run, show progress, print the rate and what was found."""
    histories = int(os.environ.get("FUZZ_HISTORIES", HISTORIES))
    first_seed = int(os.environ.get("FUZZ_SEED", time.time_ns() // 1_000_000_000))
    began, total = time.monotonic(), Score()
    console = Console(stderr=True)
    columns = (TextColumn("histories"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task, told = bar.add_task("histories", total=histories), began
        for score in scores(first_seed, histories):
            total += score
            bar.update(task, completed=total.histories)
            if not console.is_terminal and time.monotonic() - told > _LINES_EVERY_SECONDS:
                told = time.monotonic()
                console.print(f"{total.histories:,} of {histories:,} histories, {total.over_cap} over cap")
    spent = time.monotonic() - began
    sys.stdout.write(_words(total, spent, first_seed))
    return 0 if total.agrees else 1


def scores(first_seed: int, histories: int) -> Iterator[Score]:
    """The scores of that many histories, batch by batch as they are done, on every core."""
    batches = [min(BATCH, histories - done) for done in range(0, histories, BATCH)]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        running = [pool.submit(judge, first_seed + i, size) for i, size in enumerate(batches)]
        for finished in as_completed(running):
            yield finished.result()


def _words(score: Score, seconds: float, seed: int) -> str:
    lines = [
        f"{score.histories:,} histories in {seconds:,.0f} s ({score.histories / seconds:,.0f} a second), seed {seed}",
        f"{score.judged:,} times every rule was asked; {score.made:,} attempts were allowed and made",
        f"{score.over_cap} over cap, {score.needless} refused without need, {score.unlike} single answers differ",
        *score.examples,
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
