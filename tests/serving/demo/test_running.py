"""A service that does not come up is told in one sentence that says what became of it."""

from pathlib import Path

import pytest

from features.errors import InputError
from serving.demo import running
from serving.demo.running import running_service


def test_a_service_that_ends_is_told_with_its_code_and_where_it_says_more(tmp_path: Path) -> None:
    unusable = {"RECOUP_DRAIN_SECONDS": "soon"}
    with pytest.raises(InputError) as refused, running_service(tmp_path, unusable):
        pass
    assert str(refused.value) == f"the service ended with code 2; {tmp_path / 'service.log'} tells more"
    assert "soon" in (tmp_path / "service.log").read_text()


def test_a_service_that_does_not_answer_is_told_with_how_long_it_was_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_SECONDS_TO_START", 0)
    with pytest.raises(InputError, match="the service did not answer within 0 s"), running_service(tmp_path):
        pass
