"""Checks that an export has the columns its mapping reads, and finds the mapping of files that need none."""

from collections import Counter
from pathlib import Path

from features.card_number import mask_card_numbers
from features.errors import InputError
from features.history import FIELDS, REQUIRED
from features.sources.mapping import Mapping, identity_mapping
from features.sources.suggestion import did_you_mean, listed


def mapping_for(path: Path, header: tuple[str, ...] | None, stated: Mapping | None) -> Mapping:
    """The stated mapping, or the identity where none is stated; checked against the file's header.

    Args:
        header: The file's columns; None for JSON Lines, where any key may stand in any line.

    Raises:
        InputError: A column that is needed is missing or there twice.
    """
    if header is None:
        return stated or identity_mapping(tuple(f.name for f in FIELDS))
    needed = stated.columns if stated else REQUIRED
    for name in needed:
        if name not in header:
            hint = "" if stated else "; a mapping file (--mapping) tells which columns hold the history's fields"
            raise InputError(
                f"{path}: has no column {name!r}; its columns are {mask_card_numbers(listed(header))}"
                f"{did_you_mean(name, header)}{hint}"
            )
    mapping = stated or identity_mapping(header)
    for name, times in Counter(header).items():
        if times > 1 and name in mapping.columns:
            raise InputError(f"{path}: has {times} columns named {name!r}; expected one")
    return mapping
