"""A rule in one line, before it is held against anything."""

from collections.abc import Iterable, Mapping

from features.vocabulary import Retryability
from model.caps.rule import CapRule, Kind
from model.caps.sentences import allowance
from model.caps.span import Span

_WORTH: Mapping[Retryability, str] = {
    Retryability.NEVER: "never to be retried",
    Retryability.LATER: "to be retried later",
    Retryability.SOON: "to be retried soon",
    Retryability.AFTER_FIX: "to be retried once its cause is mended",
    Retryability.WITH_AUTHENTICATION: "to be retried with the payer",
    Retryability.UNKNOWN: "that nobody knows",
}


def summary(rule: CapRule) -> str:
    """What the rule says, as a sentence."""
    if rule.kind is Kind.CAP:
        return f"{allowance(rule)}{_after(rule)}."
    if rule.kind is Kind.HOURS:
        return f"{rule.who} {rule.what} {rule.hours}."
    if rule.kind is Kind.THRESHOLD:
        return f"{rule.who} {rule.what} above {rule.above}."
    if rule.kind is Kind.VOLUME:
        figure = f"{rule.share_bps / 100:g} %" if rule.share_bps is not None else f"the {(rule.limit or 0) + 1:,}th"
        return f"{rule.who} {rule.what} from {figure} on."
    return f"{rule.who} {_filled(rule)}{_ends(rule)}."


def _filled(rule: CapRule) -> str:
    wait = rule.span or (Span(rule.wait_hours) if rule.wait_hours else "as long as advised")
    advice = _listed(rule.after.advice)
    return rule.what.format(code=_codes(rule), advice=advice, wait=wait, at="that time")


def _codes(rule: CapRule) -> str:
    after = rule.after
    stated = after.codes or after.raw_codes or tuple(word.replace("_", " ") for word in after.categories)
    if stated:
        return _listed(stated)
    if after.not_categories:
        return f"anything but {_listed(word.replace('_', ' ') for word in after.not_categories)}"
    return f"a code {_listed(_WORTH[word] for word in after.retryability)}"


def _after(rule: CapRule) -> str:
    return f", after {_codes(rule)}" if rule.after.codes or rule.after.raw_codes else ""


def _ends(rule: CapRule) -> str:
    if rule.kind is Kind.CONDITION:
        return f"; {rule.lifted_by} would lift this"
    return f", for {Span(rule.window.hours)}" if rule.kind is Kind.PROHIBITION and rule.window.hours else ""


def _listed(words: Iterable[str]) -> str:
    *most, last = tuple(words) or ("anything",)
    return f"{', '.join(most)} or {last}" if most else last
