"""What is wrong with a definition: one sentence that names file, key, value and remedy."""

from dataclasses import dataclass

from features.card_number import mask_card_numbers
from features.errors import shorten


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Args:
        key: Where it stands, as the file writes it: `variants.plan.weight`.
        value: What stands there; None where nothing does.
        remedy: What would be right, as a phrase that follows the semicolon.
    """

    file: str
    key: str
    value: object
    remedy: str

    @property
    def sentence(self) -> str:
        """The whole sentence."""
        stated = "is missing" if self.value is None else f"{mask_card_numbers(_told(self.value))} is not accepted"
        end = "" if self.remedy.endswith("?") else "."
        return f"{self.file}, {self.key}: {stated}; {self.remedy}{end}"


def _told(value: object) -> str:
    """Tables and lists are told by their kind alone."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return (
        shorten(str(value)) if isinstance(value, str) else f"{value:.10g}" if isinstance(value, float) else str(value)
    )
