"""What a sound definition may come to grief on later: metrics that have to be told of, messages that nobody sends."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from experiments.definition import Definition
from experiments.definition_file import Read
from features.card_number import mask_card_numbers
from features.errors import shorten

_WHERE = "POST /v1/customers/{id}/events"
_ENDED = "ended subscriptions (customer_lost, customer_left)"
NEEDS: Mapping[str, str] = {
    "involuntary_churn": "subscriptions that ended for want of payment (customer_lost)",
    **{f"retention_{days}": _ENDED for days in (30, 60, 90)},
    **{f"value_{days}": "all payments of customers (customer_paid)" for days in (30, 60, 90)},
    "complaints": "complaints (customer_complained)",
    "unsubscribes": "messages no longer wanted (customer_unsubscribed)",
    "chargebacks": "disputes (by webhooks or customer_disputed)",
}
"""What has to be told of customers for each metric that attempts and payments alone do not measure."""


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
    told = _metrics(definition)
    return tuple(Caution(read.file, key, value, why) for key, value, why in told if not read.spoilt(key))


def _metrics(definition: Definition) -> Iterator[tuple[str, str, str]]:
    roles = [("primary_metric", definition.primary_metric, "there is no report")]
    roles += [
        (f"secondary_metrics[{i}]", name, "it has no answer") for i, name in enumerate(definition.secondary_metrics)
    ]
    roles += [
        (f"guardrails.{name}", name, "it stays open and no win is ready to ship") for name in definition.guardrails
    ]
    for key, name, until_then in roles:
        if name in NEEDS:
            yield key, name, f"is measured once {NEEDS[name]} are told, and until then {until_then}; see {_WHERE}"
