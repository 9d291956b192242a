"""What answers a request: one scorer, one rulebook and one set of figures, loaded once and never changed."""

from dataclasses import dataclass, field, replace

from features.context import Context
from features.errors import InputError
from model.arms import DEFAULT
from model.caps.rulebook import Rulebook
from model.decision import Decision
from model.economics import Economics
from model.prior import PriorScorer
from model.record import NOTHING, Record
from serving.ledger.exposures import Known
from serving.live_experiments import NO_EXPERIMENTS, Enrolled, LiveExperiments, load_experiments
from serving.merchant_rules import merchant_rulebook, use_merchant_codes
from serving.registry import Answering, answering
from serving.settings import Settings
from serving.trust.breaker import Breaker
from serving.trust.ladder import UNBOUNDED, Bounds, Ladder


@dataclass(frozen=True, slots=True)
class Considered:
    """What was decided, and from what."""

    context: Context
    record: Record
    decision: Decision


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of every decision.

    Args:
        bounds: What an answer is bound by.
        until: When the answer to the request at hand must be there, by the clock of the bounds; None outside of one.
        prior: How the shipped prior has done of late.
        considered: What was decided for the request at hand; not kept outside of one.
        experiments: Whose variants may answer in place of the plan.
        enrolled: The variant that does, for one payment.
    """

    answering: Answering
    rulebook: Rulebook
    economics: Economics
    bounds: Bounds = UNBOUNDED
    until: float | None = None
    prior: Breaker = field(default_factory=Breaker, compare=False)
    considered: list[Considered] | None = field(default=None, compare=False)
    experiments: LiveExperiments = NO_EXPERIMENTS
    enrolled: Enrolled | None = None

    @property
    def rules(self) -> Rulebook:
        """The rules that a decision is held against: the merchant's, or the stricter ones of the variant."""
        return self.enrolled.answerer.rulebook if self.enrolled else self.rulebook

    def enrolling(self, context: Context, known: Known) -> "Service":
        """What answers for one payment: the same, or with the variant that the payment is in.

        Args:
            known: What the ledger knows of it.
        """
        enrolled = self.experiments.enrolled(context, known)
        return self if enrolled is None else replace(self, enrolled=enrolled)

    def for_request(self, within_ms: int | None) -> "Service":
        """The same for one request, whose time begins now: as many milliseconds, at most those of the bounds."""
        asked = None if within_ms is None else within_ms / 1000.0
        given = [seconds for seconds in (asked, self.bounds.seconds) if seconds is not None]
        return replace(self, until=self.bounds.clock() + min(given) if given else None, considered=[])

    @property
    def half_of_its_time(self) -> float | None:
        """Half of the seconds that the request at hand has left; None for no bound."""
        return None if self.until is None else max(0.0, self.until - self.bounds.clock()) / 2.0

    def decide(self, context: Context, record: Record = NOTHING) -> Decision:
        """The decision in a context, counting what is on record too, of the first policy that may be relied upon.

        Raises:
            InvalidValueError: A currency has no exchange rate in the economics.
        """
        answering, enrolled = self.answering, self.enrolled
        ladder = Ladder(
            answering.scorer,
            self.rules,
            self.economics,
            answering.reliance,
            self.bounds,
            answering.breaker,
            self.prior,
            enrolled.answerer.arm if enrolled else DEFAULT,
            enrolled.assignment if enrolled else None,
        )
        decision = ladder.decide(context, record, self.until)
        if self.considered is not None:
            self.considered.append(Considered(context, record, decision))
        return decision


def load_service(settings: Settings, *, folding: bool = True) -> Service:
    """Everything a service needs, read once.

    Args:
        folding: Prepare the model for speed; without it, it is seen whether it can be used.

    Raises:
        InputError: The economics file, the settings of the rulebook, the merchant's decline codes or the definitions of
            experiments cannot be used.
    """
    use_merchant_codes(settings)
    answers, rulebook = answering(settings, folding=folding), merchant_rulebook(settings)
    economics = economics_of(settings)
    experiments = load_experiments(settings, answers.scorer, rulebook, economics)
    return Service(answers, rulebook, economics, experiments=experiments)


def prior_service() -> Service:
    """A service of what is shipped and nothing else: the prior, the rulebook, the default figures."""
    return Service(
        Answering(PriorScorer(), "nothing", refused="no model was asked for"), Rulebook.load(), Economics.default()
    )


def economics_of(settings: Settings) -> Economics:
    """The merchant's figures, or the shipped ones.

    Raises:
        InputError: The file cannot be read or used.
    """
    path = settings.economics
    if path is None:
        return Economics.default()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"the economics file {path} cannot be read: {reason}") from None
    return Economics.from_toml(text, str(path))
