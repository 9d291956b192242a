"""Whether a decline is one that a rule answers to."""

from features.vocabulary import Outcome
from model.caps.rule import Trigger
from model.caps.tally import Event


def matches(trigger: Trigger, event: Event | None) -> bool:
    """Whether every stated part of the trigger matches the event; no event matches where no decline is needed."""
    if event is None:
        return not trigger.needs_decline
    decline = event.decline
    category = decline.category if decline else None
    return (
        _code_matches(trigger, event)
        and event.network_code not in trigger.not_codes
        and category not in trigger.not_categories
        and (not trigger.advice or (decline is not None and decline.advice_code in trigger.advice))
        and (not trigger.retryability or (decline is not None and decline.retryability in trigger.retryability))
        and (not trigger.pending or event.outcome is Outcome.UNKNOWN)
    )


def _code_matches(trigger: Trigger, event: Event) -> bool:
    if not trigger.codes and not trigger.categories:
        return True
    if event.network_code is not None and trigger.codes:
        return event.network_code in trigger.codes
    return event.decline is not None and event.decline.category in trigger.categories
