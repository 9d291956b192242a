"""Test vectors: whoever assigns in another language can show that it gives the same variants."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from experiments.allocation import divided, propensities
from experiments.arm_policies import BestPlan, FixedDays
from experiments.assignment import SEPARATOR, FirstFailure, assigned, bucket
from experiments.definition import BUCKETS, Bandit, Change, Definition, Entry, Status, Variant
from features.money import Money
from features.vocabulary import DeclineCategory, Rail

Json = Mapping[str, object]

_UNITS = (
    *(("acme", f"cus_{number}") for number in (1, 2, 3, 10, 999_999)),
    ("acme", "Zoë Müller"),
    ("アクメ", "顧客-7"),
    ("acme", "😀"),
    ("acme ", "cus_1"),
    ("beta", "cus_1"),
    ("beta", "00000000-0000-4000-8000-000000000001"),
)
_SALTS = ("plan-against-fixed-1", "paydays-for-funds-1", "namespace retries")
_SPLITS: tuple[tuple[Mapping[str, float], float, float], ...] = (
    ({"fixed": 0.5, "plan": 0.5}, 0.0, 1.0),
    ({"fixed": 0.5, "plan": 0.5}, 0.05, 1.0),
    ({"fixed": 0.5, "plan": 0.5}, 0.05, 0.1),
    ({"a": 0.3333, "b": 0.3333, "c": 0.3334}, 0.1, 0.5),
    ({"small": 0.0001, "large": 0.9999}, 0.0, 0.5),
)

_START = datetime(2026, 11, 2, tzinfo=UTC)
_WEEK = timedelta(days=7)
_CHANGING = Definition(
    key="changing",
    hypothesis="The plan recovers more.",
    owner="payments",
    status=Status.RUNNING,
    salt="changing-weights-1",
    control="fixed",
    variants={
        "fixed": Variant(0.5, FixedDays("fixed_days", (1, 3, 5, 7))),
        "plan": Variant(0.5, BestPlan("plan")),
    },
    primary_metric="recovered_value",
    window_days=30,
    min_run_days=28,
    smallest_effect=0.05,
    hold_out=0.05,
    coverage=0.8,
    bandit=Bandit(floor=0.1, every_days=7),
    history=(
        Entry(_START, Change.STARTED, "Ann", coverage=0.2),
        Entry(_START + _WEEK, Change.REWEIGHTED, "Ann", weights={"fixed": 0.3021, "plan": 0.6979}),
        Entry(_START + 2 * _WEEK, Change.RAMPED, "Ann", coverage=0.8),
        Entry(_START + 3 * _WEEK, Change.REWEIGHTED, "Ann", weights={"fixed": 0.1, "plan": 0.9}),
    ),
)


def vectors() -> Json:
    """The recipe with inputs and what must come of them."""
    return {
        "recipe": {
            "bytes": "UTF-8 of salt, separator, merchant_id, separator, unit_id",
            "separator": f"U+{ord(SEPARATOR):04X}",
            "hash": "SHA-256",
            "number": "the first 6 bytes, big-endian (the first 12 hexadecimal digits)",
            "bucket": f"number mod {BUCKETS}",
            "namespace": 'the same with "namespace " and the name of the namespace as the salt',
            "ranges": (
                "hold-out [0, H) with H = round(hold_out * 10000); then the variants in the order of their names, "
                "with W the sum of round(weight * 10000) before and w that of the variant: "
                "[H + (10000 - H) * W div 10000, H + (10000 - H) * (W + w) div 10000); "
                "coverage keeps of each range the first length * round(coverage * 10000) div 10000 buckets"
            ),
            "times": (
                "coverage and weights are those of the last steps that state them up to the first failure, before any "
                "the unit takes no part; a unit that was exposed before keeps its variant and propensity"
            ),
        },
        "buckets": [
            {"salt": salt, "merchant_id": merchant, "unit_id": unit, "bucket": bucket(salt, merchant, unit)}
            for salt in _SALTS
            for merchant, unit in _UNITS
        ],
        "ranges": [_ranges(*split) for split in _SPLITS],
        "times": _times(_CHANGING),
    }


def _ranges(weights: Mapping[str, float], hold_out: float, coverage: float) -> Json:
    shares = divided(weights, hold_out, coverage)
    chance = propensities(shares)
    return {
        "weights": dict(weights),
        "hold_out": hold_out,
        "coverage": coverage,
        "ranges": [
            {"variant": one.variant, "first": one.first, "end": one.end, "propensity": chance[one.variant]}
            for one in shares
        ],
    }


def _times(definition: Definition) -> Json:
    """An experiment whose coverage and weights change, and units that first failed around each change."""
    steps = [
        {"at": entry.at.isoformat(), "coverage": entry.coverage, "weights": entry.weights}
        for entry in definition.history
    ]
    start = {"coverage": None, "weights": {name: one.weight for name, one in definition.variants.items()}}
    moments = [at + beside for at in (entry.at for entry in definition.history) for beside in (-_SECOND, timedelta(0))]
    return {
        "salt": definition.salt,
        "merchant_id": "acme",
        "hold_out": definition.hold_out,
        "before": start,
        "steps": steps,
        "assigned": [_assigned(definition, f"cus_{number}", at) for at in moments for number in range(1, 9)],
    }


_SECOND = timedelta(seconds=1)


def _assigned(definition: Definition, customer_id: str, failed_at: datetime) -> Json:
    failure = FirstFailure(
        *("acme", customer_id, f"inv_{customer_id}"),
        failed_at=failed_at,
        amount=Money(4900, "EUR"),
        rail=Rail.CARD,
        category=DeclineCategory.UNKNOWN,
        market=None,
    )
    found = assigned(definition, failure)
    return {
        "unit_id": customer_id,
        "failed_at": failed_at.isoformat(),
        "variant": found.variant if found else None,
        "propensity": found.propensity if found else None,
    }
