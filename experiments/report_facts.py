"""A report as plain facts, for a file that other programs read."""

import math
from collections.abc import Mapping

from experiments.analysis.analysis import Secondary, VariantAnalysis
from experiments.analysis.effect import Effect, Interval
from experiments.analysis.guard_rails import Guarded
from experiments.analysis.hold_out import Lift
from experiments.analysis.segments import Segments
from experiments.definition import CovariateName, Method
from experiments.report import Report

Facts = dict[str, object]


def facts_of(report: Report) -> Facts:
    """Everything that the report shows; shares as numbers, money in minor units of `currency`, no effect as null."""
    definition, analysis = report.definition, report.analysis
    return {
        "key": definition.key,
        "hypothesis": definition.hypothesis,
        "owner": definition.owner,
        "status": definition.status.value,
        "merchant_id": report.merchant_id,
        "as_of": report.as_of.isoformat(),
        "currency": report.currency,
        "unit": definition.unit.value,
        "control": definition.control,
        "method": definition.method.value,
        "alpha": definition.alpha,
        "window_days": definition.window_days,
        "min_run_days": definition.min_run_days,
        "days_run": analysis.days_run,
        "planned_units": report.planned.units if report.planned_known else None,
        "planned_units_stated": report.planned.stated,
        "covariate": None if definition.covariate is CovariateName.NONE else definition.covariate.value,
        "split": _split(report),
        "withheld": analysis.withheld,
        "unmeasured": list(report.unmeasured),
        "variants": [_variant(report, one) for one in analysis.variants],
        "hold_out": _lift(analysis.lift) if analysis.lift else None,
    }


def _split(report: Report) -> Facts:
    analysis, split = report.analysis, report.analysis.split
    arms = [
        {
            "variant": name,
            "expected": split.expected[name],
            "exposed": counted,
            "mature": analysis.mature.get(name, 0),
            "collecting": analysis.collecting.get(name, 0),
        }
        for name, counted in split.counted.items()
    ]
    return {
        "healthy": split.healthy,
        "anytime_p": split.anytime_p,
        "chi_square_p": split.chi_square_p,
        "arms": arms,
    }


def _variant(report: Report, one: VariantAnalysis) -> Facts:
    primary = report.primary(one)
    return {
        "variant": one.variant,
        "verdict": one.verdict.word.value,
        "sentence": one.verdict.sentence,
        "primary": _effect(primary, report.plan.method) if primary else None,
        "guardrails": [_guarded(rail) for rail in one.guarded],
        "secondary": [_secondary(claim, report.plan.method) for claim in report.secondary(one)],
        "segments_exploratory": [_segments(found, report.plan.method) for found in report.segments(one)],
    }


def _effect(effect: Effect, method: Method) -> Facts:
    sequential = method is Method.SEQUENTIAL
    relative = effect.relative_always if sequential else effect.relative_fixed
    return {
        "metric": effect.metric,
        "control": effect.control,
        "variant": effect.treatment,
        "difference": effect.difference,
        "standard_error": effect.standard_error,
        "interval": _interval(effect.always if sequential else effect.fixed),
        "level": 1 - effect.alpha,
        "p": effect.always_p if sequential else effect.fixed_p,
        "relative": effect.relative,
        "relative_interval": _interval(relative) if relative else None,
        "units": {"control": effect.units[0], "variant": effect.units[1]},
        "reduction": effect.reduction,
        "unadjusted": _plain(effect.unadjusted, method) if effect.unadjusted else None,
    }


def _plain(effect: Effect, method: Method) -> Facts:
    sequential = method is Method.SEQUENTIAL
    return {
        "control": effect.control,
        "variant": effect.treatment,
        "difference": effect.difference,
        "standard_error": effect.standard_error,
        "interval": _interval(effect.always if sequential else effect.fixed),
        "p": effect.always_p if sequential else effect.fixed_p,
    }


def _guarded(one: Guarded) -> Facts:
    """A guard-rail is watched every day, so its interval is the always-valid one under either method."""
    return {
        "metric": one.rail.metric,
        "margin": one.rail.margin,
        "better": one.direction.value,
        "state": one.state.value,
        "effect": _effect(one.effect, Method.SEQUENTIAL) if one.effect else None,
    }


def _secondary(one: Secondary, method: Method) -> Facts:
    corrected = one.always_p if method is Method.SEQUENTIAL else one.fixed_p
    return {**_effect(one.effect, method), "corrected_p": corrected}


def _segments(found: Segments, method: Method) -> Facts:
    return {
        "by": found.name,
        "differ_p": found.p,
        "common": None if math.isnan(found.common) else found.common,  # no segment is large enough
        "left_out_units": found.left_out,
        "segments": [
            {"segment": one.label, "shrunken": one.shrunken, **_effect(one.effect, method)} for one in found.effects
        ],
    }


def _lift(lift: Lift) -> Facts:
    return {
        "effect": _effect(lift.effect, Method.SEQUENTIAL),
        "brought": lift.brought,
        "brought_interval": _interval(lift.brought_always),
    }


def _interval(found: Interval) -> Mapping[str, float]:
    return {"low": found.low, "high": found.high}
