"""What answers a request: one scorer, one rulebook and one set of figures, loaded once and never changed."""

from dataclasses import dataclass, replace

from features.context import Context
from features.errors import InputError
from model.caps.rulebook import Rulebook
from model.decide import decide
from model.decision import Decision
from model.economics import Economics
from model.prior import PriorScorer
from model.record import NOTHING, Record
from serving.ledger.exposures import Known
from serving.live_experiments import NO_EXPERIMENTS, Enrolled, LiveExperiments, load_experiments
from serving.merchant_rules import merchant_rulebook, use_merchant_codes
from serving.registry import Answering, answering
from serving.settings import Settings


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of every decision.

    Args:
        experiments: Whose variants may answer in place of the plan.
        enrolled: The variant that does, for one payment.
    """

    answering: Answering
    rulebook: Rulebook
    economics: Economics
    experiments: LiveExperiments = NO_EXPERIMENTS
    enrolled: Enrolled | None = None

    def enrolling(self, context: Context, known: Known) -> "Service":
        """What answers for one payment: the same, or with the variant that the payment is in.

        Args:
            known: What the ledger knows of it.
        """
        enrolled = self.experiments.enrolled(context, known)
        return self if enrolled is None else replace(self, enrolled=enrolled)

    def decide(self, context: Context, record: Record = NOTHING) -> Decision:
        """The decision in a context, counting what is on record too.

        Raises:
            InvalidValueError: A currency has no exchange rate in the economics.
        """
        scorer, economics, enrolled = self.answering.scorer, self.economics, self.enrolled
        if enrolled is None:
            return decide(context, scorer, self.rulebook, economics, record=record)
        by = enrolled.answerer
        return decide(
            context, scorer, by.rulebook, economics, record=record, arm=by.arm, assignment=enrolled.assignment
        )


def load_service(settings: Settings) -> Service:
    """Everything a service needs, read once.

    Raises:
        InputError: The economics file, the settings of the rulebook, the merchant's decline codes or the definitions of
            experiments cannot be used.
    """
    use_merchant_codes(settings)
    answers, rulebook, economics = answering(settings), merchant_rulebook(settings), economics_of(settings)
    return Service(answers, rulebook, economics, load_experiments(settings, answers.scorer, rulebook, economics))


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
