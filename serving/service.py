"""What answers a request: one scorer, one rulebook and one set of figures, loaded once and never changed."""

from dataclasses import dataclass, field, replace

from features.context import Context
from features.errors import InputError
from model.caps.rulebook import Rulebook
from model.decision import Decision
from model.economics import Economics
from model.prior import PriorScorer
from model.record import NOTHING, Record
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
    """

    answering: Answering
    rulebook: Rulebook
    economics: Economics
    bounds: Bounds = UNBOUNDED
    until: float | None = None
    prior: Breaker = field(default_factory=Breaker, compare=False)
    considered: list[Considered] | None = field(default=None, compare=False)

    def for_request(self, within_ms: int | None) -> "Service":
        """The same for one request, whose time begins now: as many milliseconds, at most those of the bounds."""
        asked = None if within_ms is None else within_ms / 1000.0
        given = [seconds for seconds in (asked, self.bounds.seconds) if seconds is not None]
        return replace(self, until=self.bounds.clock() + min(given) if given else None, considered=[])

    def decide(self, context: Context, record: Record = NOTHING) -> Decision:
        """The decision in a context, counting what is on record too, of the first policy that may be relied upon.

        Raises:
            InvalidValueError: A currency has no exchange rate in the economics.
        """
        answering = self.answering
        ladder = Ladder(
            answering.scorer,
            self.rulebook,
            self.economics,
            answering.reliance,
            self.bounds,
            answering.breaker,
            self.prior,
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
