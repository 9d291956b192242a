"""What a sound definition will come to grief on later: metrics that nobody tells of, messages that nobody sends."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from experiments.cohorts import UNTOLD
from experiments.definition import Definition
from experiments.definition_file import Read
from features.card_number import mask_card_numbers
from features.errors import shorten

_MESSAGES = "answers to messages, which the ledger is not told"
_LATER = "ended subscriptions and later invoices, which the ledger is not told"
NEEDS: Mapping[str, str] = {
    "cap_use": "how many attempts the limits allowed, which an exposure does not keep",
    "involuntary_churn": _LATER,
    **{f"{name}_{days}": _LATER for name in ("retention", "value") for days in (30, 60, 90)},
    "complaints": _MESSAGES,
    "unsubscribes": _MESSAGES,
    "chargebacks": "every dispute to be told, and the ledger cannot know that it was told of all",
}
"""What each metric would need that is measured by nobody yet."""


@dataclass(frozen=True, slots=True)
class Caution:
    """One thing to know before the start; it is no fault.

    Args:
        key: Where it stands, as the file writes it.
        why: What will come of it, and what would be right, as a phrase after the value.
    """

    file: str
    key: str
    value: str
    why: str

    @property
    def sentence(self) -> str:
        """The whole sentence."""
        return f"{self.file}, {self.key}: {mask_card_numbers(shorten(self.value))} {self.why}."


def cautions(read: Read) -> tuple[Caution, ...]:
    """Everything to know about one file; nothing of what could not be read."""
    definition = read.definition
    if definition is None:
        return ()
    told = (*_metrics(definition), *_journeys(definition))
    return tuple(Caution(read.file, key, value, why) for key, value, why in told if not read.spoilt(key))


def _metrics(definition: Definition) -> Iterator[tuple[str, str, str]]:
    roles = [("primary_metric", definition.primary_metric, "there would be no report; decide by another metric")]
    roles += [
        (f"secondary_metrics[{i}]", name, "it would have no answer; leave it out")
        for i, name in enumerate(definition.secondary_metrics)
    ]
    roles += [
        (f"guardrails.{name}", name, "it would stay open and no win could be ready to ship; leave it out")
        for name in definition.guardrails
    ]
    for key, name, remedy in roles:
        if name in UNTOLD:
            yield key, name, f"is measured by nobody yet, for it needs {NEEDS[name]}: {remedy}"


def _journeys(definition: Definition) -> Iterator[tuple[str, str, str]]:
    for name, variant in sorted(definition.variants.items()):
        if variant.journey is not None:
            why = "is a message journey, which nobody sends yet: the service refuses to start with it; leave it out"
            yield f"variants.{name}.journey", variant.journey, why
