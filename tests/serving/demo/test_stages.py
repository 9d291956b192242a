"""A stage of the demo is kept as long as nothing it depends on has changed."""

from pathlib import Path

import pytest

from features.errors import InputError
from serving.demo.stages import Stage, environment, forget_models, is_kept, run

HELP = Stage("help", ("decide", "--help"), ("features",))


def test_a_stage_is_kept_once_it_ran(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert not is_kept(HELP, tmp_path)
    run(HELP, tmp_path)
    assert is_kept(HELP, tmp_path)
    assert "Decide what to do" in capfd.readouterr().out


def test_other_arguments_code_or_predecessors_make_it_again(tmp_path: Path) -> None:
    others = (
        Stage("help", ("serve", "--help"), ("features",)),
        Stage("help", ("decide", "--help"), ("features", "model")),
        Stage("help", ("decide", "--help"), ("features",), (HELP,)),
    )
    assert len({HELP.key, *(stage.key for stage in others)}) == 4
    (tmp_path / "help.done").write_text(HELP.key)
    assert is_kept(HELP, tmp_path)
    assert not any(is_kept(stage, tmp_path) for stage in others)


def test_a_stage_that_fails_stops_the_demo_and_is_not_kept(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    failing = Stage("decide", ("decide", str(tmp_path / "missing.json")), ())
    with pytest.raises(InputError, match="the demo stopped"):
        run(failing, tmp_path)
    assert not is_kept(failing, tmp_path)
    assert "missing.json" in capfd.readouterr().err


def test_a_registry_in_use_elsewhere_is_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.example")
    monkeypatch.setenv("RECOUP_MODEL", "somewhere")
    made = environment(tmp_path)
    assert {name for name in made if name.startswith(("MLFLOW", "RECOUP"))} == {"RECOUP_HOME"}


def test_models_of_other_code_are_forgotten_and_the_rest_of_the_home_stays(tmp_path: Path) -> None:
    for name in ("mlflow.db", "mlartifacts/one", "models/two", "world/history.parquet", "ledger.db"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    forget_models(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ledger.db", "world"]
