"""Whether a decline is one that a rule answers to."""

from features.declines.rewritten import hidden_codes
from features.instants import from_micros
from features.vocabulary import Network, Outcome
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
        and (not trigger.raw_codes or (decline is not None and decline.code in trigger.raw_codes))
        and (not trigger.hides or _may_hide(trigger, event))
    )


def _code_matches(trigger: Trigger, event: Event) -> bool:
    if not trigger.codes and not trigger.categories:
        return True
    if event.network_code is not None and trigger.codes:
        return event.network_code in trigger.codes
    return event.decline is not None and event.decline.category in trigger.categories


def _may_hide(trigger: Trigger, event: Event) -> bool:
    network = event.decline.network if event.decline else Network.UNKNOWN
    if event.network_code is None:
        return False
    hidden = hidden_codes(network, event.network_code, from_micros(event.at).date())
    return not hidden.isdisjoint(trigger.hides)
