"""The report of an off-policy evaluation: what the log says each policy is worth, or why it cannot say."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from experiments.off_policy.verdict import Contrast, Valued
from training.trial import charts
from training.trial.document import Report, Section, Table
from training.trial.lineup import MEANINGS, PLAN
from training.trial.logged import ESTIMATOR, OffPolicy
from training.trial.played import cell, estimates_json, signed

_ESTIMATORS = ("ips", "snips", "dm", "dr")
_MEANINGS = (
    ("ips", "outcomes of matching decisions, weighed by 1 / propensity: unbiased, noisy"),
    ("snips", "the same over the sum of the weights: less noise, a small bias"),
    ("dm", "the model's word alone: no noise, all of its bias"),
    ("dr", "the model's word corrected by what the log shows: right if either part is"),
    ("effective", "effective sample size: as many equally weighed rows would say as much"),
)


def off_policy_report(title: str, lead: str, found: OffPolicy, more: Sequence[Section]) -> Report:
    """The report; `more` follows."""
    alone = "" if found.stated else ", by its day alone"
    first = _section(f"The first retry{alone}", "chance that the first retry is approved", found.first)
    episodes = [
        _section(f"Whole episodes, at most {most}", "chance that the payment is recovered", those)
        for most, those in found.episodes.items()
    ]
    return Report(
        title=title,
        lead=lead,
        findings=tuple(_findings(found)),
        sections=(first, _ahead(found.ahead, alone), *episodes, *more, _reading(found)),
        figures=_figures(found),
        data=_as_json(found),
    )


def _findings(found: OffPolicy) -> list[str]:
    said = [f"{found.decisions:,} first retries of the log were used; {_propensities(found)}"]
    plan = found.first[PLAN]
    if plan.refusal is not None:
        said.append(f"What the plan's first retry would bring cannot be told from this log: {plan.refusal}.")
    else:
        said.append(
            f"{_what(found)} would be approved in {cell(plan.values[ESTIMATOR], 3)} of cases, doubly robust; "
            f"SNIPS says {cell(plan.values['snips'], 3)}, the model alone {cell(plan.values['dm'], 3)}."
        )
    said += [
        f"Against {one.against}: {signed(one.difference, 3)}{'' if one.holds else ', not distinguishable after Holm'}."
        for one in found.ahead
        if one.difference is not None
    ]
    refused = [one.target for one in found.first.values() if one.refusal is not None]
    if refused:
        said.append(f"Refused for want of support: {', '.join(refused)}. More randomised retries would help.")
    return said


def _propensities(found: OffPolicy) -> str:
    if found.stated:
        return "their propensities are stated in the log."
    return (
        "the log states no propensities, so that they are estimated by the share of first retries on the same day, and "
        "policies are judged by their day alone: method, processor and hour stay as the log chose them."
    )


def _what(found: OffPolicy) -> str:
    return "The plan's first retry" if found.stated else "The log's first retry, made on the plan's day,"


def _section(title: str, unit: str, those: Mapping[str, Valued]) -> Section:
    rows = tuple(_row(one) for one in those.values())
    told = [(one.target, one.values) for one in those.values() if one.refusal is None]
    header = ("policy", *_ESTIMATORS, "effective", "largest weight", "matched", "refused because")
    plots = (charts.values(told, title, unit),) if told else ()
    return Section(title, tables=(Table(f"{unit}, 95 % intervals by customer", header, rows),), plots=plots)


def _row(one: Valued) -> tuple[str, ...]:
    support = one.support
    return (
        one.target,
        *(cell(one.values.get(name), 3) for name in _ESTIMATORS),
        f"{support.effective:,.0f}",
        f"{support.largest:,.1f}",
        f"{support.matched:,}",
        one.refusal or "",
    )


def _ahead(ahead: Sequence[Contrast], alone: str) -> Section:
    rows = tuple(
        (
            one.against,
            "–" if one.difference is None else signed(one.difference, 3),
            "–" if one.p is None else f"{one.p:.3f}",
            one.refusal or ("yes" if one.holds else "no"),
        )
        for one in ahead
    )
    header = ("against", "plan less it (doubly robust)", "p", "holds at 5 % over all (Holm)")
    return Section("The plan against each", tables=(Table(f"First retry{alone}, paired by customer", header, rows),))


def _reading(found: OffPolicy) -> Section:
    return Section(
        "How to read this",
        notes=(_propensities(found).capitalize(),),
        tables=(
            Table("Estimates", ("name", "meaning"), _MEANINGS),
            Table("Policies", ("policy", "meaning"), tuple(MEANINGS.items())),
        ),
    )


def _figures(found: OffPolicy) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, one in found.first.items():
        figures[f"off_policy/{name}/effective"] = one.support.effective
        for estimator, estimate in one.values.items():
            figures[f"off_policy/{name}/{estimator}"] = estimate.value
    return figures


def _as_json(found: OffPolicy) -> dict[str, object]:
    return {
        "decisions": found.decisions,
        "propensities": "stated" if found.stated else "estimated",
        "first": {name: valued_json(one) for name, one in found.first.items()},
        "ahead": [
            {**asdict(one), "difference": None if one.difference is None else asdict(one.difference)}
            for one in found.ahead
        ],
        "episodes": {
            str(most): {name: valued_json(one) for name, one in those.items()} for most, those in found.episodes.items()
        },
    }


def valued_json(one: Valued) -> dict[str, object]:
    """A value, its support and its refusal as JSON values."""
    return {"values": estimates_json(one.values), "support": asdict(one.support), "refusal": one.refusal}
