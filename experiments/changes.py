"""Whether a running experiment may be changed so: what would move units or what was promised before the start."""

from collections.abc import Iterator

from experiments.allocation import Share, allocation
from experiments.definition import Bandit, Definition, Status
from experiments.fault import Fault
from experiments.weights import starting_weights

_ORDER = tuple(Status)
# What the analysis was planned with; changed after the start it would be chosen by what was seen.
_PLANNED = (
    *("primary_metric", "window_days", "min_run_days", "alpha", "power", "smallest_effect", "method", "control"),
    *("planned_units", "covariate", "bandit"),
)
_NO_GUARD_RAIL = "no guard-rail"


def breaking(before: Definition, after: Definition, file: str) -> tuple[Fault, ...]:
    """What the new version of a definition would break of the one in force; nothing where that is a draft."""
    if before.status is Status.DRAFT:
        return ()
    return tuple(Fault(file, key, value, remedy) for key, value, remedy in _broken(before, after))


def _broken(before: Definition, after: Definition) -> Iterator[tuple[str, object, str]]:
    again = "start a new experiment for another"
    if _ORDER.index(after.status) < _ORDER.index(before.status):
        yield "status", after.status, f"expected {before.status} or later, for it began"
    if after.salt != before.salt:
        yield "salt", after.salt, f"expected '{before.salt}', for another moves every unit; {again}"
    if after.unit is not before.unit:
        yield "unit", after.unit, f"expected {before.unit}, for units are assigned already; {again}"
    if after.target != before.target:
        yield "target", "another target", f"expected the one in force, for it says whom the result is about; {again}"
    yield from _namespace(before, after)
    yield from _variants(before, after)
    planned = f"as was planned before the start; {again}"
    for name in _PLANNED:
        was, is_ = getattr(before, name), getattr(after, name)
        if was != is_:
            yield name, _shown(is_), f"expected {_shown(was)}, {planned}"
    yield from _claims(before, after, planned)
    if after.history[: len(before.history)] != before.history:
        yield "history", list(after.history), "expected the entries in force unchanged, and new ones after them"


def _claims(before: Definition, after: Definition, planned: str) -> Iterator[tuple[str, object, str]]:
    """What else was promised: the metrics whose number Holm's p-values take into account, and what may be lost.

    A margin may become tighter, for an interval that holds at every look holds for every margin. Another guard-rail may
    not be added: each has its share of alpha, so that one more makes a breach of the others harder to call.
    """
    if sorted(before.secondary_metrics) != sorted(after.secondary_metrics):
        was = ", ".join(before.secondary_metrics) or "none"
        yield "secondary_metrics", ", ".join(after.secondary_metrics) or "none", f"expected {was}, {planned}"
    for name in sorted({*before.guardrails, *after.guardrails}):
        rail, now = before.guardrails.get(name), after.guardrails.get(name)
        if rail is None:
            yield (
                f"guardrails.{name}",
                f"margin {after.guardrails[name].margin:g}",
                f"expected {_NO_GUARD_RAIL}, {planned}",
            )
        elif now is None:
            yield f"guardrails.{name}", _NO_GUARD_RAIL, f"expected margin {rail.margin:g} or tighter, {planned}"
        elif now.margin > rail.margin:
            yield f"guardrails.{name}.margin", now.margin, f"expected {rail.margin:g} or tighter, {planned}"


def _namespace(before: Definition, after: Definition) -> Iterator[tuple[str, object, str]]:
    was, is_ = before.namespace, after.namespace
    if is_.name != was.name:
        yield "namespace.name", is_.name, f"expected {was.name}, for another moves every unit"
    elif is_.first > was.first or is_.end < was.end:
        span = f"{is_.first} to {is_.end}"
        yield "namespace", span, f"expected at least buckets {was.first} to {was.end}, whose units are in it"


def _variants(before: Definition, after: Definition) -> Iterator[tuple[str, object, str]]:
    for name, variant in sorted(before.variants.items()):
        now = after.variants.get(name)
        if now is None:
            yield f"variants.{name}", None, "expected the variant, for units are in it; stop the experiment instead"
        elif (now.policy, now.tighten) != (variant.policy, variant.tighten):
            yield (
                f"variants.{name}.policy",
                now.policy.kind,
                "expected the policy and limits in force, for units had it",
            )
    if any(name not in after.variants for name in before.variants):
        return
    # A bandit's weights stand in the history, which may only grow; those of the start stay what they were.
    kept = {share.variant: share for share in allocation(after, weights=starting_weights(after))}
    for was in allocation(before, weights=starting_weights(before)):
        if not _within(was, kept.get(was.variant)):
            yield _moved(was, before, after)
            return


def _shown(planned: object) -> object:
    """A plan's value as a sentence can tell it."""
    if isinstance(planned, Bandit):
        return f"floor {planned.floor:g} every {planned.every_days} days"
    return planned


def _within(was: Share, now: Share | None) -> bool:
    return not was.buckets or (now is not None and now.first <= was.first and was.end <= now.end)


def _moved(was: Share, before: Definition, after: Definition) -> tuple[str, object, str]:
    """The change that takes a variant's buckets away; a ramp only adds."""
    if after.hold_out != before.hold_out:
        return "hold_out", after.hold_out, f"expected {before.hold_out:g}, for another moves units between variants"
    for name, variant in sorted(before.variants.items()):
        weight = after.variants[name].weight
        if weight != variant.weight:
            right = f"expected {variant.weight:g}, for another weight moves units; raise coverage to have more"
            return f"variants.{name}.weight", weight, right
    if after.coverage < before.coverage:
        return (
            "coverage",
            after.coverage,
            f"expected at least {before.coverage:g}; recoup experiment stop takes nobody new",
        )
    return f"variants.{was.variant}", was.variant, "expected no new variant, for its buckets are those of others"
