"""The plans' part of a report: what they promised at the first failure and what came of following them."""

from collections.abc import Sequence

from experiments.plan_calibration import Followed, Kept, by_length, by_place
from training.trial.document import Section, Table
from training.trial.played import cell, estimates_json, signed

_NOTE = (
    "Each plan as told at the first failure, followed to the letter. Where the customer paid by hand or left first, "
    "the promise is that of the retries due before. The policy itself plans anew after every decline."
)


class Promises:
    """Followed plans, judged once.

    Args:
        followed: Plans as told, followed.
        resamples: Draws of customers behind every interval.
        seed: Of the draws.
    """

    def __init__(self, followed: Sequence[Followed], resamples: int, seed: int) -> None:
        self.lengths = by_length(followed, resamples, seed)
        self.places = by_place(followed, resamples, seed)

    @property
    def all(self) -> Kept | None:
        """All plans together; None where there was none."""
        return self.lengths[-1] if self.lengths else None


def plan_section(promises: Promises) -> Section:
    """Tables by retries planned and by place in the plan."""
    header = (
        "plans",
        "promised",
        "promised while due",
        "range promised",
        "recovered",
        "recovered less promised while due",
    )
    lengths = [(str(one.number or "all"), f"{one.count:,}", f"{one.whole:.3f}", *_row(one)) for one in promises.lengths]
    places = [(str(one.number), f"{one.count:,}", *_row(one)) for one in promises.places]
    return Section(
        "Whether plans keep what they promise",
        notes=(_NOTE,),
        tables=(
            Table("By retries planned", ("retries planned", *header), tuple(lengths)),
            Table(
                "By place of the retry in the plan",
                ("retry", "made", "chance planned", "range planned", "approved", "approved less planned"),
                tuple(places),
            ),
        ),
    )


def plan_finding(promises: Promises) -> str | None:
    """The plans in a sentence; None where there was none."""
    one = promises.all
    if one is None:
        return None
    return (
        f"Plans followed as told at the first failure promise {one.promised:.1%} ({one.promised_low:.1%} to "
        f"{one.promised_high:.1%} by the ends of their intervals) and recover {one.kept.value:.1%} "
        f"({one.kept.low:.1%} to {one.kept.high:.1%})."
    )


def plan_json(promises: Promises) -> dict[str, list[dict[str, object]]]:
    """The same as JSON values; number 0 stands for all plans."""
    return {
        "by_retries_planned": [_json(one) for one in promises.lengths],
        "by_place_in_plan": [_json(one) for one in promises.places],
    }


def _row(one: Kept) -> tuple[str, str, str, str]:
    return (
        f"{one.promised:.3f}",
        f"{one.promised_low:.3f} to {one.promised_high:.3f}",
        cell(one.kept, 3),
        signed(one.difference, 3),
    )


def _json(one: Kept) -> dict[str, object]:
    return {
        "number": one.number,
        "count": one.count,
        "whole": one.whole,
        "promised": one.promised,
        "promised_low": one.promised_low,
        "promised_high": one.promised_high,
        **estimates_json({"kept": one.kept, "difference": one.difference}),
    }
