"""What answers a request: one scorer, one rulebook and one set of figures, loaded once and never changed."""

from dataclasses import dataclass

from features.context import Context
from features.errors import InputError
from model.caps.rulebook import Rulebook
from model.decide import decide
from model.decision import Decision
from model.economics import Economics
from model.prior import PriorScorer
from model.record import NOTHING, Record
from serving.merchant_rules import merchant_rulebook, use_merchant_codes
from serving.registry import Answering, answering
from serving.settings import Settings


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of every decision."""

    answering: Answering
    rulebook: Rulebook
    economics: Economics

    def decide(self, context: Context, record: Record = NOTHING) -> Decision:
        """The decision in a context, counting what is on record too.

        Raises:
            InvalidValueError: A currency has no exchange rate in the economics.
        """
        return decide(context, self.answering.scorer, self.rulebook, self.economics, record=record)


def load_service(settings: Settings, *, folding: bool = True) -> Service:
    """Everything a service needs, read once.

    Args:
        folding: Prepare the model for speed; without it, it is seen whether it can be used.

    Raises:
        InputError: The economics file, the settings of the rulebook or the merchant's decline codes cannot be used.
    """
    use_merchant_codes(settings)
    return Service(answering(settings, folding=folding), merchant_rulebook(settings), economics_of(settings))


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
