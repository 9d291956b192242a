"""What tuning wrote is what training reads, and a file that means something else is refused by its key."""

from pathlib import Path

import pytest

from features.errors import InputError
from training.fit import TreeSettings
from training.parameters import Parameters, read_parameters, write_parameters

FOUND = Parameters(leaves=24, learning_rate=0.0731, min_rows_in_leaf=80, l2=2.5, column_share=0.61, cat_smooth=33.0)


def test_parameters_survive_their_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "found.toml"
    write_parameters(FOUND, path, ("Found by a study.",))
    assert path.read_text().startswith("# Found by a study.\n[trees]\n")
    assert read_parameters(path) == FOUND


def test_what_is_stated_takes_the_place_of_settings_and_nothing_else() -> None:
    settings = Parameters(leaves=9, l2=0.0).applied_to(TreeSettings(max_trees=7, learning_rate=0.3))
    assert settings == TreeSettings(max_trees=7, learning_rate=0.3, leaves=9, l2=0.0)
    assert Parameters().applied_to(settings) == settings
    assert FOUND.applied_to(TreeSettings()).cat_smooth == 33.0


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("leaves = 3", "leaves is not a key"),
        ("[trees]\nleafs = 3", "did you mean leaves"),
        ("[trees]\nleaves = 1", "trees.leaves"),
        ("[trees]\nleaves = 3.5", "a whole number"),
        ('[trees]\nl2 = "much"', "trees.l2"),
        ("[trees", "not valid TOML"),
    ],
)
def test_a_file_that_means_something_else_is_refused_by_its_key(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "parameters.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=fault):
        read_parameters(path)
    with pytest.raises(InputError, match="no such file"):
        read_parameters(tmp_path / "nowhere.toml")
