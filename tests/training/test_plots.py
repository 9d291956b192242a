"""Pictures show the rows they claim to show, for histories with hours and for those with days only."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest

from training.pipeline import TrainingResult
from training.plots import approval_by_local_time, figures_of, ranking, reliability


@pytest.fixture(scope="module")
def columns(result: TrainingResult) -> list[str]:
    return [str(column["name"]) for column in result.artifact.columns]


def test_every_picture_can_be_drawn(result: TrainingResult, columns: list[str]) -> None:
    for name, figure in figures_of(result.judged, result.explored, result.bag, columns).items():
        file = BytesIO()
        figure.savefig(file, format="png", dpi=40)
        assert file.tell() > 2_000, name


def test_the_heat_map_holds_the_share_approved_of_each_hour(result: TrainingResult) -> None:
    figure = approval_by_local_time(result.judged)
    shown = np.asarray(figure.axes[0].images[0].get_array(), dtype=np.float64)
    judged = result.judged
    rows = (judged.weekday == 2) & (np.floor(judged.hour) == 9)
    assert shown[2, 9] == pytest.approx(judged.y[rows].mean())


def test_where_only_days_are_known_it_shows_weekdays(result: TrainingResult) -> None:
    days_only = replace(result.judged, hour=np.full_like(result.judged.hour, np.nan))
    axes = approval_by_local_time(days_only).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()][:2] == ["Mon", "Tue"]


def test_reliability_has_a_panel_for_all_rows_and_each_large_slice(result: TrainingResult) -> None:
    titles = [axes.get_title() for axes in reliability(result.judged, "market", "market").axes if axes.get_visible()]
    assert titles[0] == f"all ({len(result.judged.y):,})"
    assert {title.split(" ")[0] for title in titles[1:]} == {"DE", "US"}


def test_curves_start_at_nothing_and_end_at_everything(result: TrainingResult) -> None:
    line = ranking(result.judged).axes[0].lines[0]
    x, y = np.asarray(line.get_xdata(), dtype=np.float64), np.asarray(line.get_ydata(), dtype=np.float64)
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
