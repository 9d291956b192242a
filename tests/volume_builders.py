"""Volumes counted event by event, to the microsecond: a second opinion on those that are counted by the hour."""

from collections.abc import Iterable

from features.instants import MICROS_PER_HOUR
from features.vocabulary import Network
from model.caps.rule import CapRule, Window, WindowKind
from model.caps.tally import Event
from model.caps.volumes import Alike, Volumes, volumes_of_alike


def volumes_of(rules: Iterable[CapRule], events: Iterable[tuple[Network, Event]], at: int) -> Volumes:
    """One merchant's events counted for every rule about volumes; those after `at` are left out."""
    known = [Alike(network, event, 1) for network, event in events if event.at <= at]
    return volumes_of_alike(rules, lambda rule: [one for one in known if _counts(rule.window, one.event, at)], at)


def _counts(window: Window, event: Event, at: int) -> bool:
    if window.kind is WindowKind.CALENDAR and window.span is not None:
        return window.span.period_end(event.latest) > at
    return window.hours is None or event.latest + window.hours * MICROS_PER_HOUR > at
