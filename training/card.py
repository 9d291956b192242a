"""The model card: for whom a model is, what it saw, how good it is, and where it should not be believed."""

from collections.abc import Iterable, Mapping, Sequence

from experiments.resamples import Estimate
from training.calibrate import Calibration
from training.evaluate import MODEL, PRIOR, Evaluation, Slice
from training.gate import GateVerdict
from training.metrics import METRICS

NAMES: Mapping[str, str] = {
    MODEL: "**model**",
    PRIOR: "shipped prior",
    "constant": "constant",
    "code_by_attempt": "code × attempt table",
    "logistic_regression": "logistic regression",
}
_LISTED_SLICES = 12


def model_card(
    facts: Mapping[str, object],
    left_out: Mapping[str, int],
    calibration: Calibration,
    evaluation: Evaluation,
    verdict: GateVerdict,
) -> str:
    """The card as Markdown; nothing in it depends on the clock.

    Args:
        facts: As they stand in `model.json`.
    """
    parts = (
        "# Retry approval model",
        _purpose(),
        _data(facts, left_out),
        _method(facts, calibration),
        _figures(evaluation),
        _slices(evaluation.slices),
        _gate(verdict),
        _limits(),
    )
    return "\n\n".join(parts) + "\n"


def interval(estimate: Estimate | None, digits: int = 4) -> str:
    """The figure with its interval, `0.5123 (0.5001–0.5240)`; a dash where there is no answer."""
    if estimate is None:
        return "–"
    return f"{estimate.value:.{digits}f} ({estimate.low:.{digits}f}–{estimate.high:.{digits}f})"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _purpose() -> str:
    return (
        "## Use\n\n"
        "Probability that one proposed retry of a failed payment is approved, given everything known when it is "
        "decided: the failure, the customer's and the method's past, and the time, method and processor proposed. "
        "Meant for choosing among retries that the caps allow. Not meant for credit decisions, for judging "
        "customers, or for attempts that a rule already forbids."
    )


def _data(facts: Mapping[str, object], left_out: Mapping[str, int]) -> str:
    windows, rows, history = _object(facts, "windows"), _object(facts, "rows"), _object(facts, "history")
    counts = [["attempts in the history", f"{history['attempts']:,}"]]
    counts += [[f"left out: {reason}", f"{count:,}"] for reason, count in left_out.items()]
    counts += [
        ["train window", f"{rows['train']:,}"],
        ["calibration window", f"{rows['calibrate']:,}"],
        ["test window", f"{rows['test']:,}"],
        ["embargoed: outcome known only in the next window", f"{rows['embargoed']:,}"],
        ["**fitted in the end (train and calibration)**", f"{rows['fitted']:,}"],
    ]
    return (
        "## Data\n\n"
        f"Population: {facts['population']}, one row an attempt as of its decision. History SHA-256 "
        f"`{history['digest']}`.\n\n"
        f"Decided from {windows['train_from']} (train), {windows['calibrate_from']} (calibration), "
        f"{windows['test_from']} to {windows['test_to']} (test). Every score below was given by boosters, a "
        "calibrator and baselines that never saw the row's customer.\n\n" + table(["", "rows"], counts)
    )


def _method(facts: Mapping[str, object], calibration: Calibration) -> str:
    text = (
        "## Method\n\n"
        f"{facts['boosters']} LightGBM boosters of {facts['trees']} trees, each without two fifths of the customers "
        f"(by default), pooled by the {facts['pooling']}{_blended(facts)}; calibration: **{calibration.kind}**."
    )
    if not calibration.gains:
        return text + " Too few outcomes in the calibration window to fit one."
    gains = [
        [gain.kind, f"{gain.log_loss:.4f}", f"{gain.gain:+.4f}", f"{gain.standard_error:.4f}"]
        for gain in calibration.gains
    ]
    header = ["calibrator", "log loss on unseen customers", "gain over none", "standard error"]
    return text + " A calibrator is taken only when its gain is above one standard error.\n\n" + table(header, gains)


def _blended(facts: Mapping[str, object]) -> str:
    blend = _object(facts, "blend")
    if not blend["strength"]:
        return ""
    return (
        f", blended with the shipped prior (the model's weight is {blend['weight']:.0%}: {blend['rows']:,} retries "
        f"against a prior worth {blend['strength']:,.0f})"
    )


def _figures(evaluation: Evaluation) -> str:
    names = [metric.name for metric in METRICS]
    rows = [
        [NAMES.get(scorer, scorer), *(interval(figures.get(name)) for name in names)]
        for scorer, figures in evaluation.figures.items()
    ]
    gains = [
        [NAMES.get(name, name), *(_signed(gains.get(metric)) for metric in ("log_loss", "brier", "auc"))]
        for name, gains in evaluation.gains.items()
    ]
    return (
        "## How good\n\n"
        f"{evaluation.rows:,} test rows of {evaluation.customers:,} customers, {evaluation.approved:.1%} approved. "
        "In brackets 95 % intervals, from resampling customers.\n\n"
        + table(["scorer", *names], rows)
        + "\n\nHow much better the model is, paired by customer (above zero is better):\n\n"
        + table(["against", "log loss", "Brier", "AUC"], gains)
    )


def _signed(estimate: Estimate | None) -> str:
    return "–" if estimate is None else f"{estimate.value:+.4f} ({estimate.low:+.4f} to {estimate.high:+.4f})"


def _slices(slices: Sequence[Slice]) -> str:
    if not slices:
        return "## Slices\n\nNo slice of the test window has 100 rows."
    largest = sorted(slices, key=lambda s: (s.group, -s.rows))
    by_group: dict[str, list[Slice]] = {}
    for one in largest:
        by_group.setdefault(one.group, []).append(one)
    rows = [
        [s.group, s.word, f"{s.rows:,}", f"{s.observed:.3f}", f"{s.predicted:.3f}"]
        + [interval(s.figures.get(name), 3) for name in ("log_loss", "auc", "slope")]
        for group in by_group.values()
        for s in group[:_LISTED_SLICES]
    ]
    header = ["by", "", "rows", "observed", "predicted", "log loss", "AUC", "slope"]
    return "## Slices\n\nOnly slices of at least 100 test rows, the largest first.\n\n" + table(header, rows)


def _gate(verdict: GateVerdict) -> str:
    lines = [f"- {'passed' if check.passed else '**failed**'}: {check.sentence}" for check in verdict.checks]
    return f"## Gate: {'passed' if verdict.passed else 'refused'}\n\n" + "\n".join(lines)


def _limits() -> str:
    return (
        "## Limits\n\n"
        "- It predicts what follows an attempt of the kind the history holds. Times, methods or processors that the "
        "past policy never tried are extrapolation; `model.json` lists what was seen.\n"
        "- The test figures score each row with the boosters that did not see its customer, two of five by default; "
        "the deployed mean of all has at most their mean log loss.\n"
        "- Intervals of single probabilities cover sampling of customers, not a change of the world: watch "
        "calibration on live outcomes.\n"
        "- AUC says nothing about money. What a policy built on this model recovers must be measured on its own."
    )


def _object(facts: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = facts[key]
    return value if isinstance(value, Mapping) else {}
