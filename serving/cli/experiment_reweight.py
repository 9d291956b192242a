"""`recoup experiment reweight`: new weights of a bandit from what is in the ledger, shown before they are written."""

from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from experiments.allocation import allocation, propensities
from experiments.cohorts import cohort_of
from experiments.definition import Definition
from experiments.reweighing import Refusal, Reweighing, reweighing
from features.errors import InputError
from serving.cli.ledgers import kept_store
from serving.experiment_outcomes import observed

if TYPE_CHECKING:
    from model.economics import Economics


def next_weights(definition: Definition, url: str, economics: "Economics", at: datetime) -> Reweighing:
    """The weights that the ledger's matured outcomes make.

    Raises:
        InputError: There are none today; says why.
        InvalidValueError: The definition is no bandit.
    """
    variants = tuple(propensities(allocation(definition, coverage=1.0)))
    with closing(kept_store(url)) as store:
        cohort = cohort_of(observed(store, definition, at), variants, economics)
    found = reweighing(definition, cohort, at)
    if isinstance(found, Refusal):
        raise InputError(f"{definition.key} keeps its weights. {found.sentence}")
    return found


def print_reweighing(found: Reweighing) -> None:
    """One line a variant."""
    table = Table(box=None)
    for heading in ("variant", "mature", found.metric, "error", "best with", "weight", "next"):
        table.add_column(heading, justify="left" if heading == "variant" else "right", no_wrap=True)
    for arm in found.arms:
        figures = (f"{arm.mature:,}", f"{arm.value:.4g}", f"{arm.error:.2g}", f"{arm.best:.2%}")
        table.add_row(arm.variant, *figures, f"{arm.before:.4f}", f"{arm.after:.4f}")
    Console(highlight=False, markup=False, soft_wrap=True).print(table)
