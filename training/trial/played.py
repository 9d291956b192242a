"""The report of a replay: what every policy recovered, at what cost, and how far the plan is ahead of each."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from experiments.comparison import FIGURES, NET, RECOVERED, Comparison, Difference, Judgement, Stopping
from experiments.resamples import Estimate
from experiments.schedules.learnt import BEST_FIXED, DUE_DAY, FULL
from model.artifact import finite_or_none
from training.trial import charts
from training.trial.contest import Contest
from training.trial.document import Report, Section, Table
from training.trial.lineup import (
    GREEDY,
    MEANINGS,
    NO_CYCLING,
    NO_RETRY,
    NO_ROUTING,
    ORACLE,
    PLAN,
    PLAN_OF_CHAMPION,
    PLAN_ON_PRIOR,
)

COST_FACTORS = (0.5, 1.0, 2.0, 5.0)
_PRICED_ANEW = "What was done is priced anew; no policy changes what it does. A plan for dearer attempts stops sooner."
_NO_SCHEDULES = frozenset({PLAN, PLAN_OF_CHAMPION, PLAN_ON_PRIOR, GREEDY, NO_CYCLING, NO_ROUTING, ORACLE, NO_RETRY})
LEAST_SLICE = 50
"""Payments below which a slice says nothing."""

_WORST = 8
_SHOWN = (
    RECOVERED,
    "recovered_amount",
    NET,
    "attempts",
    "attempts_per_recovery",
    "cost",
    "days_to_recovery",
    "stopped",
)
_COMPARED = (RECOVERED, NET, "attempts")


class Played:
    """The judged contest: everything the report says, worked out once.

    Args:
        resamples: Draws of customers behind every interval.
        seed: Of the draws.
        limited: Whether any rules were in force.
    """

    def __init__(self, contest: Contest, resamples: int, seed: int, *, limited: bool = True) -> None:
        self.contest = contest
        self.limited = limited
        self.comparisons = {
            most: Comparison(list(results.values()), resamples, seed) for most, results in contest.results.items()
        }
        self.judged: dict[int, list[Judgement]] = {
            most: [c.judged(name) for name in c.results] for most, c in self.comparisons.items()
        }
        self.differences: dict[int, list[Difference]] = {
            most: [c.difference(PLAN, name) for name in c.results if name != PLAN]
            for most, c in self.comparisons.items()
        }
        self.currency = next(iter(next(iter(contest.results.values())).values())).currency

    @property
    def customers(self) -> int:
        """How many customers owe the payments."""
        return next(iter(self.comparisons.values())).customers

    def judgement(self, most: int, policy: str) -> Judgement | None:
        """The figures of one policy; None where it was not played."""
        return next((one for one in self.judged[most] if one.policy == policy), None)

    def difference(self, most: int, against: str) -> Difference | None:
        """The plan less one policy; None where it was not played."""
        return next((one for one in self.differences[most] if one.against == against), None)

    def best_schedule(self, most: int) -> str | None:
        """The schedule a merchant could have with the highest net value; None where none was played."""
        real = [j for j in self.judged[most] if j.policy not in _NO_SCHEDULES and FULL not in j.policy]
        return max(real, key=lambda j: j.figures[NET].value).policy if real else None

    def breaches(self, policy: str) -> int:
        """Retries of the policy that a rule forbade, over all numbers of retries played."""
        return sum(one.breaches for judged in self.judged.values() for one in judged if one.policy == policy)

    def stopping(self, most: int) -> Stopping | None:
        """What the plan's giving up cost against the best schedule."""
        best = self.best_schedule(most)
        return None if best is None else self.comparisons[most].stopping(PLAN, best)


def played_report(title: str, lead: str, played: Played, more: Sequence[Section]) -> Report:
    """The report; `more` follows the policies' own sections."""
    sections = [_policies(played, most) for most in played.judged]
    return Report(
        title=title,
        lead=lead,
        findings=tuple(findings(played)),
        sections=(*sections, _overview(played), _costs(played), _slices(played), *more, _reading(played)),
        figures=metrics(played),
        data=as_json(played),
    )


def findings(played: Played) -> list[str]:
    """What a head of payments should know, a sentence each."""
    said = [_breaches(played)]
    for most, judged in played.judged.items():
        plan = next(one for one in judged if one.policy == PLAN)
        said.append(_plan_sentence(played, most, plan))
        said += [s for against in (PLAN_OF_CHAMPION, BEST_FIXED, DUE_DAY) if (s := _against(played, most, against))]
        said += [s for name in (NO_CYCLING, NO_ROUTING) if (s := _against(played, most, name))]
        said += [s for s in (_oracle(played, most, plan), _stopped(played, most)) if s]
    return said


def _breaches(played: Played) -> str:
    total = played.breaches(PLAN)
    if not played.limited:
        return "No limits were in force here, as asked: no retry was held against any."
    if total == 0:
        return "No retry of the plan was made against a limit in force."
    return f"{total:,} retries of the plan broke a limit in force: do not use it before that is understood."


def _plan_sentence(played: Played, most: int, plan: Judgement) -> str:
    f = plan.figures
    each = f["attempts_per_recovery"].value if "attempts_per_recovery" in f else float("nan")
    return (
        f"With at most {_retries(most)}, the plan recovers {_share(f[RECOVERED])} of {plan.payments:,} failed payments "
        f"with {f['attempts'].value:.2f} retries each ({each:.2f} a recovery), worth "
        f"{_money(f[NET], played.currency)} a failed payment after costs."
    )


def _against(played: Played, most: int, against: str) -> str | None:
    difference = played.difference(most, against)
    if difference is None:
        return None
    recovered, net, spent = (difference.figures[name] for name in _COMPARED)
    fewer = f"{abs(spent.value):.2f} {'fewer' if spent.value < 0 else 'more'} retries a payment"
    return (
        f"At most {_retries(most)}, against {against} ({MEANINGS[against]}): {_points(recovered)} recovered, "
        f"{signed(net)} {played.currency} a failed payment, {fewer}. {_word(net)}"
    )


def _word(net: Estimate) -> str:
    if net.low > 0:
        return "The plan is worth more."
    if net.high < 0:
        return "The plan is worth less."
    return "The two cannot be told apart in value."


def _oracle(played: Played, most: int, plan: Judgement) -> str | None:
    oracle = played.judgement(most, ORACLE)
    best = played.judgement(most, BEST_FIXED)
    if oracle is None or oracle.figures[NET].value <= 0:
        return None
    share = plan.figures[NET].value / oracle.figures[NET].value
    sentence = f"At most {_retries(most)}, that is {share:.0%} of what the same planner is with the true probabilities"
    if best is None:
        return sentence + "."
    gap = oracle.figures[NET].value - best.figures[NET].value
    closed = (plan.figures[NET].value - best.figures[NET].value) / gap if gap > 0 else float("nan")
    return sentence + f"; it closes {closed:.0%} of the gap between the best fixed schedule and that bound."


def _stopped(played: Played, most: int) -> str | None:
    stopping = played.stopping(most)
    if stopping is None or stopping.payments == 0:
        return None
    return (
        f"The plan gave up {stopping.payments:,} payments; {stopping.against} went on and recovered "
        f"{stopping.recovered:,} of them, a net value of {stopping.net:,.2f} {played.currency} for each given up."
    )


def _overview(played: Played) -> Section:
    return Section(
        "Recovered for the retries made",
        plots=(
            charts.recovered_by_attempts(played.judged),
            charts.ahead(played.differences, RECOVERED, "share recovered"),
            charts.ahead(played.differences, NET, f"net value in {played.currency} per failed payment"),
        ),
    )


def _policies(played: Played, most: int) -> Section:
    names = {figure.name: figure.meaning for figure in FIGURES}
    rows = tuple(_figures_row(one) for one in played.judged[most])
    differences = tuple(
        (d.against, *(signed(d.figures[n], 4 if n == RECOVERED else 2) for n in _COMPARED))
        for d in played.differences[most]
    )
    header = ("policy", *(name.replace("_", " ") for name in _SHOWN), "median days", "breaches")
    caption = f"{len(rows)} policies, at most {_retries(most)}; 95 % intervals by customer"
    return Section(
        f"At most {_retries(most)}",
        tables=(
            Table(caption, header, rows),
            Table(
                "The plan less each other policy, paired by payment",
                ("against", *(f"{n.replace('_', ' ')}: {names[n]}" for n in _COMPARED)),
                differences,
            ),
        ),
    )


def _figures_row(one: Judgement) -> tuple[str, ...]:
    cells = [
        cell(one.figures.get(name), 3 if name in {RECOVERED, "recovered_amount", "stopped"} else 2) for name in _SHOWN
    ]
    median = "–" if one.median_days is None else f"{one.median_days:.1f}"
    return (one.policy, *cells, median, f"{one.breaches:,}")


def _costs(played: Played) -> Section:
    most = max(played.judged)
    comparison = played.comparisons[most]
    costings = {name: comparison.costing(name, COST_FACTORS) for name in comparison.results if name != NO_RETRY}
    rows = tuple((name, *(cell(c.net, 2) for c in those)) for name, those in costings.items())
    return Section(
        "If attempts cost more or less",
        notes=(_PRICED_ANEW,),
        tables=(
            Table(
                f"Net value per failed payment in {played.currency}, at most {_retries(most)}",
                ("policy", *(f"× {factor:g}" for factor in COST_FACTORS)),
                rows,
            ),
        ),
        plots=(charts.by_cost(costings, played.currency),),
    )


def _slices(played: Played) -> Section:
    most = max(played.judged)
    best = played.best_schedule(most)
    if best is None:
        return Section("Worst slices", notes=("No schedule was played.",))
    found = played.comparisons[most].slices(PLAN, best, played.contest.groups, LEAST_SLICE)
    rows = tuple(
        (f"{s.group}: {s.word}", f"{s.payments:,}", signed(s.recovered, 4), signed(s.net)) for s in found[:_WORST]
    )
    return Section(
        "Where the plan does worst",
        notes=(f"The plan less {best}, at most {_retries(most)}, on slices of at least {LEAST_SLICE} payments.",),
        tables=(Table("Worst first", ("slice", "payments", "share recovered", f"net, {played.currency}"), rows),),
    )


def _reading(played: Played) -> Section:
    meanings = tuple((figure.name.replace("_", " "), figure.meaning) for figure in FIGURES)
    policies = tuple((name, meaning) for name, meaning in MEANINGS.items())
    return Section(
        "How to read this",
        notes=(
            f"{played.contest.payments:,} failed payments of {played.customers:,} customers.",
            "All policies met the same payments with the same luck; intervals are 95 % of resampled customers.",
        ),
        tables=(Table("Figures", ("figure", "meaning"), meanings), Table("Policies", ("policy", "meaning"), policies)),
    )


def metrics(played: Played) -> dict[str, float]:
    """For MLflow: `policy/plan/at_most_2/recovered`, `ahead/best-fixed/at_most_2/net`, each with `_low` and `_high`."""
    found: dict[str, float] = {}
    for most, judged in played.judged.items():
        for one in judged:
            for name, estimate in one.figures.items():
                found |= _three(f"policy/{one.policy}/at_most_{most}/{name}", estimate)
            found[f"policy/{one.policy}/at_most_{most}/breaches"] = float(one.breaches)
        for difference in played.differences[most]:
            for name in _COMPARED:
                if name in difference.figures:
                    found |= _three(f"ahead/{difference.against}/at_most_{most}/{name}", difference.figures[name])
    return {name: value for name, value in found.items() if finite_or_none(value) is not None}


def as_json(played: Played) -> dict[str, object]:
    """Everything as JSON values."""
    return {
        "payments": played.contest.payments,
        "customers": played.customers,
        "currency": played.currency,
        "at_most": {str(most): _one_json(played, most) for most in played.judged},
    }


def _one_json(played: Played, most: int) -> dict[str, object]:
    comparison, best, stopping = played.comparisons[most], played.best_schedule(most), played.stopping(most)
    slices = comparison.slices(PLAN, best, played.contest.groups, LEAST_SLICE) if best else []
    return {
        "policies": [
            {**asdict(one), "figures": estimates_json(one.figures), "ends": dict(one.ends)}
            for one in played.judged[most]
        ],
        "ahead": [{"against": d.against, "figures": estimates_json(d.figures)} for d in played.differences[most]],
        "best_schedule": best,
        "stopping": None if stopping is None else asdict(stopping),
        "slices": [
            {
                "by": s.group,
                "word": s.word,
                "payments": s.payments,
                **estimates_json({"recovered": s.recovered, "net": s.net}),
            }
            for s in slices
        ],
        "costing": {
            name: {
                f"{c.factor:g}": estimates_json({"net": c.net})["net"] for c in comparison.costing(name, COST_FACTORS)
            }
            for name in comparison.results
        },
    }


def estimates_json(estimates: Mapping[str, Estimate]) -> dict[str, dict[str, float | None]]:
    """Value, low and high of each, None for what has no answer."""
    return {
        name: {key: finite_or_none(value) for key, value in (("value", e.value), ("low", e.low), ("high", e.high))}
        for name, e in estimates.items()
    }


def _three(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def cell(estimate: Estimate | None, digits: int) -> str:
    """The figure with its interval; a dash where there is no answer."""
    if estimate is None:
        return "–"
    return f"{estimate.value:,.{digits}f} ({estimate.low:,.{digits}f}–{estimate.high:,.{digits}f})"


def signed(estimate: Estimate, digits: int = 2) -> str:
    """A difference with its interval, each with its sign."""
    return f"{estimate.value:+,.{digits}f} ({estimate.low:+,.{digits}f} to {estimate.high:+,.{digits}f})"


def _share(estimate: Estimate) -> str:
    return f"{estimate.value:.1%} ({estimate.low:.1%} to {estimate.high:.1%})"


def _points(estimate: Estimate) -> str:
    return f"{100 * estimate.value:+.1f} points ({100 * estimate.low:+.1f} to {100 * estimate.high:+.1f})"


def _money(estimate: Estimate, currency: str) -> str:
    return f"{estimate.value:,.2f} {currency}"


def _retries(most: int) -> str:
    return "1 retry" if most == 1 else f"{most} retries"
