"""The example mappings read the two real exports they were written for, where these are at hand."""

import os
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.sources.mapping_file import parse_mapping
from training.ingest.importing import import_history

ROOT = Path(__file__).parents[3]
MAPPINGS = ROOT / "docs" / "examples" / "mappings"
DATA = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data"))


def data(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not at hand; SHARED_DATA names the folder that holds it")
    return path


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.toml")), ids=lambda path: path.name)
def test_every_example_mapping_is_valid(path: Path) -> None:
    assert parse_mapping(path.read_text(encoding="utf-8"), path.name).columns


def test_the_bank_account_export_imports_whole(tmp_path: Path) -> None:
    export = data("balance_retries/attempts.csv")
    mapping = parse_mapping((MAPPINGS / "balance_retries.toml").read_text(encoding="utf-8"), "m.toml")
    out = tmp_path / "h.parquet"
    summary = import_history([export], mapping, out, tmp_path / "q.csv")
    assert summary.accepted + summary.quarantined == summary.read == 75_185
    assert (summary.quarantined, summary.payments, summary.customers) == (0, 64_016, 1_165)
    assert summary.outcomes == {"approved": 62_047, "declined": 13_138}
    assert not summary.unknown_codes
    assert not summary.without_code
    history = pq.read_table(out)
    assert set(history["precision"].to_pylist()) == {"day"}
    tries = Counter(history["payment_id"].to_pylist())
    assert max(tries.values()) == 5


def test_the_routing_export_groups_into_its_published_number_of_purchases(tmp_path: Path) -> None:
    export = data("psp_routing_2019/psp_jan_feb_2019.csv")
    mapping = parse_mapping((MAPPINGS / "psp_routing.toml").read_text(encoding="utf-8"), "m.toml")
    out = tmp_path / "h.parquet"
    summary = import_history([export], mapping, out, tmp_path / "q.csv")
    assert (summary.read, summary.accepted, summary.quarantined) == (50_410, 50_410, 0)
    assert summary.payments == 27_338
    assert summary.outcomes == {"approved": 10_228, "declined": 40_182}
    assert summary.without_code == 40_182
    tries = Counter(pq.read_table(out)["payment_id"].to_pylist())
    assert round(sum(count > 1 for count in tries.values()) / len(tries), 3) == 0.451
