"""The report of routes: profit per attempt of the learnt route beside every single processor."""

from dataclasses import asdict

from experiments.off_policy.verdict import Valued
from training.trial import charts
from training.trial.document import Report, Section, Table
from training.trial.logged_report import valued_json
from training.trial.played import cell, signed
from training.trial.routing import APPROVED, AS_LOGGED, ESTIMATOR, LEARNT, PROFIT, Routing

_ESTIMATORS = ("snips", "dr", "dm", "ips")
_NOTES = (
    "snips: the log's own outcomes, weighed by 1 / propensity. dm: the model's word alone.",
    "dr: the model's word corrected by what the log shows; where it differs from dm, it corrects a bias.",
    "Propensities are estimated from other customers' earlier attempts.",
    "Every attempt is judged by a model that saw neither its customer nor its time.",
)


def routing_report(title: str, lead: str, found: Routing) -> Report:
    """The report."""
    profit = f"profit per attempt, {found.currency}"
    return Report(
        title=title,
        lead=lead,
        findings=tuple(_findings(found)),
        sections=(
            _section(found, PROFIT, profit, 2),
            _ahead(found),
            _section(found, APPROVED, "share approved", 3),
            Section(
                "How to read this",
                notes=_NOTES,
            ),
        ),
        figures={
            f"routing/{reward}/{name}/{estimator}": estimate.value
            for reward, those in found.values.items()
            for name, one in those.items()
            for estimator, estimate in one.values.items()
        },
        data=_as_json(found),
    )


def _findings(found: Routing) -> list[str]:
    learnt = found.values[PROFIT][LEARNT]
    if learnt.refusal is not None:
        return [f"What the learnt route would bring cannot be told from this log: {learnt.refusal}."]
    worth, snips = (cell(learnt.values[name], 2) for name in (ESTIMATOR, "snips"))
    said = [f"The learnt route is worth {worth} {found.currency} an attempt, doubly robust, and {snips} by SNIPS."]
    said.append(f"{found.attempts:,} attempts were judged.")
    for one in found.ahead:
        if one.difference is not None:
            what = "what was done" if one.against == AS_LOGGED else f"always {one.against}"
            sure = "" if one.holds else ", not distinguishable after Holm's correction"
            said.append(f"Against {what}: {signed(one.difference)} {found.currency} an attempt{sure}.")
    shares = ", ".join(f"{name} {share:.0%}" for name, share in sorted(found.shares.items(), key=lambda x: -x[1]))
    said.append(f"It would send attempts to {shares}.")
    corrected = [_correction(name, one) for name, one in found.values[APPROVED].items() if name != AS_LOGGED]
    return said + [sentence for sentence in corrected if sentence]


def _correction(name: str, one: Valued) -> str | None:
    """A sentence where the model alone lies outside what the log says."""
    if one.refusal is not None:
        return None
    dm, dr, snips = (one.values[estimator].value for estimator in ("dm", "dr", "snips"))
    if one.values["snips"].low <= dm <= one.values["snips"].high:
        return None
    return (
        f"For {name} the model alone says {dm:.3f} approved where the log says {snips:.3f}; the doubly robust estimate "
        f"corrects it to {dr:.3f}."
    )


def _section(found: Routing, reward: str, unit: str, digits: int) -> Section:
    those = found.values[reward]
    rows = tuple(
        (
            name,
            *(cell(one.values.get(estimator), digits) for estimator in _ESTIMATORS),
            f"{one.support.effective:,.0f}",
            f"{one.support.largest:,.1f}",
            one.refusal or "",
        )
        for name, one in those.items()
    )
    told = [(name, {e: one.values[e] for e in _ESTIMATORS}) for name, one in those.items() if one.refusal is None]
    header = ("route", *_ESTIMATORS, "effective", "largest weight", "refused because")
    plots = (charts.values(told, unit.capitalize(), unit),) if told else ()
    caption = f"{unit}, 95 % intervals by customer"
    return Section(unit.capitalize(), tables=(Table(caption, header, rows),), plots=plots)


def _ahead(found: Routing) -> Section:
    rows = tuple(
        (
            one.against,
            "–" if one.difference is None else signed(one.difference),
            "–" if one.p is None else f"{one.p:.3f}",
            one.refusal or ("yes" if one.holds else "no"),
        )
        for one in found.ahead
    )
    header = ("against", f"learnt route less it, {found.currency} an attempt", "p", "holds at 5 % over all (Holm)")
    return Section("The learnt route against each", tables=(Table("Doubly robust, paired by customer", header, rows),))


def _as_json(found: Routing) -> dict[str, object]:
    return {
        "attempts": found.attempts,
        "currency": found.currency,
        "values": {
            reward: {name: valued_json(one) for name, one in those.items()} for reward, those in found.values.items()
        },
        "ahead": [
            {**asdict(one), "difference": None if one.difference is None else asdict(one.difference)}
            for one in found.ahead
        ],
        "shares": found.shares,
    }
