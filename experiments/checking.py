"""What is wrong with a definition beyond its fields: weights, arms, limits, metrics and its history, all at once."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise

from experiments.allocation import allocation, in_buckets
from experiments.arm_policies import FixedDays, MonthDays, live_remedy
from experiments.definition import (
    ANSWERING,
    BUCKETS,
    HOLD_OUT,
    Change,
    Definition,
    Status,
    Target,
    Tighter,
    Unit,
    Variant,
)
from experiments.definition_file import Read
from experiments.fault import Fault
from experiments.weights import weight_faults
from model.caps.rulebook import Rulebook, Tightening, looser
from model.toml_file import is_currency

_TOLERANCE = 1e-9
_LAST = {
    Status.RUNNING: (Change.STARTED, Change.RAMPED, Change.REWEIGHTED),
    Status.STOPPED: (Change.STOPPED,),
    Status.CONCLUDED: (Change.CONCLUDED,),
}
Found = Iterator[tuple[str, object, str]]  # key, value, remedy


@dataclass(frozen=True, slots=True)
class Known:
    """What definitions are held against.

    Args:
        rulebook: The merchant's rules; an arm may only tighten them.
        metrics: The names of the metrics there are.
        history_days: How many days the merchant's history spans; None where there is none to compare with.
    """

    rulebook: Rulebook
    metrics: Collection[str]
    history_days: int | None = None


def check(read: Read, known: Known) -> tuple[Fault, ...]:
    """Everything that is wrong with one file: its fields first, then what they mean together."""
    definition = read.definition
    if definition is None:
        return read.faults
    more = tuple(
        Fault(read.file, key, value, remedy)
        for key, value, remedy in _meaning(definition, known)
        if not read.spoilt(key)
    )
    return (*read.faults, *more)


def tightenings(variant: Variant) -> dict[str, Tightening]:
    """The stricter figures of a variant, as the rulebook takes them."""
    return {rule_id: _tightening(tighter) for rule_id, tighter in variant.tighten.items()}


def _meaning(definition: Definition, known: Known) -> Found:
    yield from _weights(definition)
    yield from _arms(definition, known)
    yield from _metrics(definition, known)
    yield from _target(definition.target)
    yield from _names(definition)
    yield from _history(definition)
    yield from weight_faults(definition)
    if definition.unit is Unit.PAYMENT and definition.unit_reason is None:
        yield "unit_reason", None, "expected a sentence that says why payments of one customer may be treated apart"
    namespace = definition.namespace
    if namespace.end <= namespace.first:
        yield "namespace.end", namespace.end, f"expected a bucket after namespace.first, which is {namespace.first}"
    days = known.history_days
    if days is not None and definition.window_days > days:
        yield "window_days", definition.window_days, f"expected at most the {days} days that the history spans"


def _weights(definition: Definition) -> Found:
    weights = {name: variant.weight for name, variant in definition.variants.items()}
    total = sum(weights.values())
    if abs(total - 1.0) > _TOLERANCE:
        way = "lower" if total > 1.0 else "raise"
        yield "variants", total, f"expected weights that add up to 1: {way} some of {', '.join(sorted(weights))}"
    shares = {f"variants.{name}.weight": weight for name, weight in weights.items()}
    for key, share in (*shares.items(), ("coverage", definition.coverage), ("hold_out", definition.hold_out)):
        if abs(share * BUCKETS - in_buckets(share)) > 1e-6:
            yield key, share, "expected whole buckets of 10,000: at most four digits after the point"
    if definition.coverage and abs(total - 1.0) <= _TOLERANCE:
        for share_ in allocation(definition):
            if not share_.buckets:
                yield "coverage", definition.coverage, f"expected enough for a bucket of {share_.variant}"
    bandit = definition.bandit
    if bandit is not None and bandit.floor * len(weights) > 1.0:
        yield "bandit.floor", bandit.floor, f"expected at most {1 / len(weights):.4f}, for there are {len(weights)}"


def _arms(definition: Definition, known: Known) -> Found:
    if len(definition.variants) < 2 and not definition.hold_out:
        yield "variants", len(definition.variants), "expected two variants, or a hold_out to compare the one with"
    for name, variant in definition.variants.items():
        place, policy = f"variants.{name}", variant.policy
        if name == HOLD_OUT:
            yield place, name, "expected another name; units of hold_out are called so"
        remedy = live_remedy(policy)
        if remedy is not None and definition.status in ANSWERING:
            yield f"{place}.policy.kind", policy.kind, f"expected {remedy}"
        if isinstance(policy, FixedDays | MonthDays) and any(a >= b for a, b in pairwise(policy.days)):
            yield f"{place}.policy.days", str(list(policy.days)), "expected days in rising order, each once"
        yield from _limits(place, variant, known.rulebook)


def _limits(place: str, variant: Variant, rulebook: Rulebook) -> Found:
    """An arm is within the caps by construction where none of its figures is looser than its rule."""
    rules = {rule.rule_id for rule in rulebook.rules}
    for rule_id, tighter in variant.tighten.items():
        if rule_id not in rules:
            yield f"{place}.tighten.{rule_id}", rule_id, "expected the id of a rule; recoup rulebook show lists them"
        elif tighter == Tighter():
            yield f"{place}.tighten.{rule_id}", "nothing", "expected a stricter figure, such as limit = 3"
        found = [
            one for rule in rulebook.rules if rule.rule_id == rule_id for one in looser(rule, _tightening(tighter))
        ]
        for one in dict.fromkeys(found):
            key = f"{place}.tighten.{rule_id}.{one.field}"
            yield key, _figure(one.value), f"expected {one.right}, for an arm may only tighten"


def _figure(text: str) -> object:
    return int(text) if text.isdigit() else text


def _metrics(definition: Definition, known: Known) -> Found:
    named = [("primary_metric", definition.primary_metric)]
    named += [(f"secondary_metrics[{i}]", name) for i, name in enumerate(definition.secondary_metrics)]
    named += [(f"guardrails.{name}", name) for name in definition.guardrails]
    seen: dict[str, str] = {}
    for key, name in named:
        if name not in known.metrics:
            yield key, name, f"expected a metric that exists: {', '.join(sorted(known.metrics))}"
        elif name in seen and not key.startswith("guardrails"):
            yield key, name, f"expected another metric, for it is {seen[name]} already"
        seen.setdefault(name, key)


def _target(target: Target) -> Found:
    bounds = {"min_minor": target.min_minor, "max_minor": target.max_minor}
    stated = [name for name, value in bounds.items() if value is not None]
    if stated and target.currency is None:
        yield "target.currency", None, f"expected the currency of {' and '.join(stated)}, such as EUR"
    if target.currency is not None and not is_currency(target.currency):
        yield "target.currency", target.currency, "expected an ISO 4217 code in capitals, such as EUR"
    if target.min_minor is not None and target.max_minor is not None and target.max_minor < target.min_minor:
        yield "target.max_minor", target.max_minor, f"expected at least target.min_minor, which is {target.min_minor}"


def _names(definition: Definition) -> Found:
    known = sorted(definition.variants)
    if definition.control not in known:
        yield "control", definition.control, f"expected one of the variants: {', '.join(known)}"
    for merchant_id, named in definition.overrides.items():
        for unit_id, variant in named.items():
            if variant not in {*known, HOLD_OUT}:
                right = f"expected one of the variants: {', '.join(known)}, or {HOLD_OUT}"
                yield f"overrides.{merchant_id}.{unit_id}", variant, right
    for place, entry in enumerate(definition.history):
        if entry.variant is not None and entry.variant not in known:
            right = f"expected one of the variants: {', '.join(known)}"
            yield f"history[{place}].variant", entry.variant, right


def _history(definition: Definition) -> Found:
    history = definition.history
    for place, (before, after) in enumerate(pairwise(history), 1):
        if after.at < before.at:
            yield f"history[{place}].at", after.at.isoformat(), f"expected an instant from {before.at.isoformat()} on"
    for place, entry in enumerate(history):
        if entry.what in {Change.STARTED, Change.RAMPED} and entry.coverage is None:
            yield f"history[{place}].coverage", None, f"expected the coverage that it was {entry.what} with"
        if entry.what is Change.CONCLUDED and entry.decision is None:
            yield f"history[{place}].decision", None, "expected what was decided: ship, keep or abandon"
        if (entry.what is Change.STARTED) != (place == 0):
            yield f"history[{place}].what", entry.what, "expected started first, and only once"
    yield from _standing(definition)


def _standing(definition: Definition) -> Found:
    """Status and coverage are what the history says last."""
    history, status = definition.history, definition.status
    if status is Status.DRAFT:
        if history:
            yield "status", status, "expected running, stopped or concluded, for its history says it began"
        return
    if not history or history[-1].what not in _LAST[status]:
        verb = {Status.RUNNING: "start", Status.STOPPED: "stop", Status.CONCLUDED: "conclude"}[status]
        yield "status", status, f"expected a history that says so; recoup experiment {verb} writes both"
    stated = [entry.coverage for entry in history if entry.coverage is not None]
    if status is Status.RUNNING and stated and abs(stated[-1] - definition.coverage) > _TOLERANCE:
        yield "coverage", definition.coverage, f"expected the {stated[-1]:g} of its history; recoup experiment ramp"


def _tightening(tighter: Tighter) -> Tightening:
    return Tightening(
        limit=tighter.limit,
        window_hours=tighter.window_hours,
        wait_hours=tighter.wait_hours,
        key=tighter.key,
        length=tighter.length,
        share_bps=tighter.share_bps,
        above_minor=tighter.above_minor,
        binding=tighter.binding,
    )
