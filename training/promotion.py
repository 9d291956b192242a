"""Whether a registered model may become the champion: its calibration, and the money its policy makes."""

from dataclasses import dataclass

from training.evidence import Difference, PolicyEvidence, SliceDifference
from training.gate import Check, GateVerdict

SLOPE = (0.9, 1.1)
WORST_SLICE = -0.01
"""A slice is bad if even the upper end of its interval is more than a point below the best baseline."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A registered model as promotion sees it.

    Args:
        model_version: Content hash of its artifact.
        passed_gate: Whether it passed the gate when it was trained.
        slope: Calibration slope on its own test window; None where it had no answer.
    """

    model_version: str
    passed_gate: bool
    slope: float | None


def judge_promotion(candidate: Candidate, incumbent: str | None, evidence: PolicyEvidence | None) -> GateVerdict:
    """Every condition of promotion with its figure.

    Args:
        incumbent: Content hash of the champion; None where there is none, and then the model's own gate decides.
        evidence: What an evaluation of policies found; without it nothing replaces a champion.
    """
    own = Check("model gate", candidate.passed_gate, _gate_sentence(candidate))
    if evidence is None and incumbent is None:
        return GateVerdict((own, Check("policy", True, "there is no champion yet, so the model's own gate decides")))
    if evidence is None:
        missing = (
            "no evaluation of its policy was given; name the JSON report of one that compares it with the champion "
            "and the best baseline (--evaluation FILE)"
        )
        return GateVerdict((own, _slope(candidate), Check("policy", False, missing)))
    return GateVerdict(
        (
            own,
            _slope(candidate),
            _about(candidate, evidence),
            *_against_incumbent(incumbent, evidence),
            _better(evidence.best_baseline, evidence.unit, "the best baseline"),
            _breaches(evidence),
            _slices(evidence.slices),
        )
    )


def _gate_sentence(candidate: Candidate) -> str:
    verb = "passed" if candidate.passed_gate else "did not pass"
    return f"model {candidate.model_version} {verb} the gate when it was trained"


def _slope(candidate: Candidate) -> Check:
    if candidate.slope is None:
        return Check("calibration slope", False, "the calibration slope of its test window is not known")
    sentence = f"calibration slope is {candidate.slope:.2f}; {SLOPE[0]} to {SLOPE[1]} is asked for"
    return Check("calibration slope", SLOPE[0] <= candidate.slope <= SLOPE[1], sentence)


def _about(candidate: Candidate, evidence: PolicyEvidence) -> Check:
    same = evidence.model_version == candidate.model_version
    sentence = f"the evaluation is of model {evidence.model_version}" + (
        "" if same else f", not {candidate.model_version}"
    )
    return Check("evaluated model", same, sentence)


def _against_incumbent(incumbent: str | None, evidence: PolicyEvidence) -> tuple[Check, ...]:
    if incumbent is None:
        return ()
    if evidence.incumbent is None or evidence.incumbent.name != incumbent:
        other = "no champion" if evidence.incumbent is None else f"model {evidence.incumbent.name}"
        sentence = f"the evaluation compares it with {other}, but the champion is model {incumbent}"
        return (Check("incumbent", False, sentence),)
    return (_better(evidence.incumbent, evidence.unit, "the champion"),)


def _better(difference: Difference, unit: str, whom: str) -> Check:
    gain = difference.net_value
    sentence = (
        f"net value is {abs(gain.value):.4g} {unit} {'above' if gain.value > 0 else 'below'} {whom} {difference.name} "
        f"(95 % interval {gain.low:+.4g} to {gain.high:+.4g}, which must lie above zero)"
    )
    return Check(f"beats {whom}", gain.low > 0, sentence)


def _breaches(evidence: PolicyEvidence) -> Check:
    count = evidence.breaches
    if count is None:
        return Check("caps", False, "no rules were in force in the evaluation, so that no breach could be seen")
    return Check("caps", count == 0, f"{count:,} attempts breached a cap" if count else "no attempt breached a cap")


def _slices(slices: tuple[SliceDifference, ...]) -> Check:
    if not slices:
        return Check("slices", False, "the evaluation holds no slice; markets and decline categories are asked for")
    worst = min(slices, key=lambda one: one.recovered.high)
    gap = worst.recovered
    sentence = (
        f"the worst of {len(slices)} slices is {worst.by} {worst.word}: recovered share {gap.value:+.1%} against the "
        f"best baseline ({gap.low:+.1%} to {gap.high:+.1%}; the upper end must be at least {WORST_SLICE:.0%})"
    )
    return Check("slices", gap.high >= WORST_SLICE, sentence)
