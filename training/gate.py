"""Whether a model may answer for real: every condition with its figure, so that a refusal explains itself."""

from dataclasses import dataclass

from training.evaluate import Evaluation

MIN_ROWS = 200
MIN_OUTCOMES = 30
SLOPE = (0.8, 1.2)
PEER = "logistic_regression"
"""Sees the same columns: being as good as it is no fault of a model, being worse is."""
# The error itself is never zero: on 1,000 rows noise alone makes it about 0.04. Its lower end is what noise leaves.
MAX_ECE_LOW = 0.03


@dataclass(frozen=True, slots=True)
class Check:
    """One condition, and the sentence that says how it came out."""

    name: str
    passed: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """All conditions; the gate is passed when each is."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every condition holds."""
        return all(check.passed for check in self.checks)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The sentences of the conditions that do not hold."""
        return tuple(check.sentence for check in self.checks if not check.passed)


def judge(evaluation: Evaluation) -> GateVerdict:
    """Enough test rows, better than every naive baseline beyond doubt, no worse than its peer, honest probabilities.

    A figure that has no answer fails its condition: the gate closes when in doubt.
    """
    return GateVerdict((_enough(evaluation), *_better(evaluation), _slope(evaluation), _error(evaluation)))


def _enough(evaluation: Evaluation) -> Check:
    approved = round(evaluation.approved * evaluation.rows)
    fewest = min(approved, evaluation.rows - approved)
    sentence = (
        f"{evaluation.rows:,} test rows with {approved:,} approvals "
        f"(at least {MIN_ROWS} rows and {MIN_OUTCOMES} of each outcome are asked for)"
    )
    return Check("enough rows", evaluation.rows >= MIN_ROWS and fewest >= MIN_OUTCOMES, sentence)


def _better(evaluation: Evaluation) -> tuple[Check, ...]:
    checks = []
    for name, gains in evaluation.gains.items():
        gain, peer = gains["log_loss"], name == PEER
        asked = "which must reach above zero" if peer else "which must lie above zero"
        sentence = (
            f"log loss is {abs(gain.value):.4f} {'lower' if gain.value > 0 else 'higher'} than {name.replace('_', ' ')}"
            f" (95 % interval of the gain {gain.low:+.4f} to {gain.high:+.4f}, {asked})"
        )
        passed = gain.high > 0 if peer else gain.low > 0
        checks.append(Check(f"no worse than {name}" if peer else f"beats {name}", passed, sentence))
    return tuple(checks)


def _slope(evaluation: Evaluation) -> Check:
    slope = evaluation.model.get("slope")
    if slope is None:
        return Check("calibration slope", False, "the calibration slope has no answer: only one outcome was seen")
    sentence = (
        f"calibration slope is {slope.value:.2f} ({slope.low:.2f} to {slope.high:.2f}); "
        f"{SLOPE[0]} to {SLOPE[1]} is asked for"
    )
    return Check("calibration slope", SLOPE[0] <= slope.value <= SLOPE[1], sentence)


def _error(evaluation: Evaluation) -> Check:
    error = evaluation.model.get("ece")
    if error is None:
        return Check("calibration error", False, "the calibration error has no answer: there are no test rows")
    sentence = (
        f"calibration error is {error.value:.3f} ({error.low:.3f} to {error.high:.3f}); "
        f"its lower end must be at most {MAX_ECE_LOW}"
    )
    return Check("calibration error", error.low <= MAX_ECE_LOW, sentence)
