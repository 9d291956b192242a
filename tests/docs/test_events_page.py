"""What docs/events.md shows can be used as it stands, and it names every type and every reason."""

import json
import re
from pathlib import Path

from model.decision import StopReason
from serving.events_out.addresses import Reach
from serving.events_out.queue import MOST_TRIES
from serving.events_out.targets import targets_in
from serving.ledger.outbox import EventType

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text("utf-8")
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
NO_END = {StopReason.ALREADY_PAID, StopReason.ON_HOLD, StopReason.ATTEMPT_PENDING}


def test_the_file_of_targets_can_be_used(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "targets.toml"
    path.write_text(block)
    (tmp_path / "acme-old.secret").write_text(SECRET)
    (target,) = targets_in(path, {"ACME_EVENTS_SECRET": SECRET}).all
    assert target.secrets == (SECRET, SECRET)


def test_every_type_reason_and_reach_is_named() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert set(json.loads(example)) == {"type", "timestamp", "data"}
    for word in (*EventType, *(set(StopReason) - NO_END)):
        assert f"`{word.value}`" in PAGE
    for reach in Reach:
        assert f'`"{reach.value}"`' in PAGE
    assert f"{MOST_TRIES} times" in PAGE
