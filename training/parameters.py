"""How trees are grown, as a TOML file that `recoup tune` writes and `recoup train --parameters` takes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from features.errors import InputError
from model.toml_file import Checked, parsed
from training.fit import TreeSettings


@dataclass(frozen=True, slots=True)
class Parameters:
    """What tuning may choose; None keeps the default.

    Args:
        leaves: Leaves a tree.
        learning_rate: Weight of each tree.
        min_rows_in_leaf: Fewest rows a leaf may hold.
        l2: Ridge penalty on leaf values.
        column_share: Share of columns each tree may look at.
        cat_smooth: Rows by which the rate of a category is drawn to that of its leaf.
    """

    leaves: int | None = None
    learning_rate: float | None = None
    min_rows_in_leaf: int | None = None
    l2: float | None = None
    column_share: float | None = None
    cat_smooth: float | None = None

    def applied_to(self, settings: TreeSettings) -> TreeSettings:
        """The settings with what is stated here in their place."""
        return replace(
            settings,
            leaves=settings.leaves if self.leaves is None else self.leaves,
            learning_rate=settings.learning_rate if self.learning_rate is None else self.learning_rate,
            min_rows_in_leaf=settings.min_rows_in_leaf if self.min_rows_in_leaf is None else self.min_rows_in_leaf,
            l2=settings.l2 if self.l2 is None else self.l2,
            column_share=settings.column_share if self.column_share is None else self.column_share,
            cat_smooth=settings.cat_smooth if self.cat_smooth is None else self.cat_smooth,
        )

    @classmethod
    def of(cls, values: Mapping[str, float]) -> "Parameters":
        """The parameters of values by name."""
        leaves, rows = values.get("leaves"), values.get("min_rows_in_leaf")
        return cls(
            leaves=None if leaves is None else int(leaves),
            learning_rate=values.get("learning_rate"),
            min_rows_in_leaf=None if rows is None else int(rows),
            l2=values.get("l2"),
            column_share=values.get("column_share"),
            cat_smooth=values.get("cat_smooth"),
        )

    def stated(self) -> dict[str, int | float]:
        """What is stated, by name."""
        values = {name: getattr(self, name) for name in NAMES}
        return {name: value for name, value in values.items() if value is not None}


BOUNDS: Mapping[str, tuple[float, float]] = {
    "leaves": (2, 1_000),
    "learning_rate": (0.001, 1.0),
    "min_rows_in_leaf": (1, 1_000_000),
    "l2": (0.0, 1_000.0),
    "column_share": (0.05, 1.0),
    "cat_smooth": (0.0, 10_000.0),
}
NAMES = tuple(BOUNDS)
WHOLE = frozenset({"leaves", "min_rows_in_leaf"})


def read_parameters(path: Path) -> Parameters:
    """The parameters of a file.

    Raises:
        InputError: No such file, not TOML, or a value that is out of bounds; every fault is named.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise InputError(f"{path}: no such file; expected the TOML file that `recoup tune` wrote") from None
    checked = Checked(parsed(text, str(path)), str(path))
    checked.only_keys((), {"trees"})
    checked.only_keys(("trees",), set(NAMES))
    stated = checked.keys(("trees",))
    values = {name: checked.number(("trees", name), *BOUNDS[name]) for name in NAMES if name in stated}
    for name in WHOLE & values.keys():
        if values[name] != int(values[name]):
            checked.fault(("trees", name), values[name], "a whole number")
    checked.finish()
    return Parameters.of(values)


def write_parameters(parameters: Parameters, path: Path, remarks: tuple[str, ...]) -> None:
    """Write the file, the remarks as comments above.

    Raises:
        InputError: The file cannot be written.
    """
    lines = [*(f"# {remark}" for remark in remarks), "[trees]"]
    lines += [f"{name} = {value!r}" for name, value in parameters.stated().items()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None
