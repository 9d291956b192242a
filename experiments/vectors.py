"""Test vectors: whoever assigns in another language can show that it gives the same variants."""

from collections.abc import Mapping

from experiments.allocation import divided, propensities
from experiments.assignment import SEPARATOR, bucket
from experiments.definition import BUCKETS

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
        },
        "buckets": [
            {"salt": salt, "merchant_id": merchant, "unit_id": unit, "bucket": bucket(salt, merchant, unit)}
            for salt in _SALTS
            for merchant, unit in _UNITS
        ],
        "ranges": [_ranges(*split) for split in _SPLITS],
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
