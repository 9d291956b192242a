"""Many copies of one frozen value that differ in a few fields, made without checking the rest every time."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Generic, TypeVar

from features.attempt import Attempt
from features.context import Context

T = TypeVar("T", Attempt, Context)

_set = object.__setattr__


class Copies(Generic[T]):
    """Copies of a value.

    Args:
        of: What was checked when it was made; all fields but those that differ are shared.
        differ: The fields that differ; whoever gives them knows that they stand any check.
    """

    def __init__(self, of: T, differ: Sequence[str]) -> None:
        self._kind: type[T] = type(of)
        self._same = [(field.name, getattr(of, field.name)) for field in fields(of) if field.name not in differ]

    def changed(self, **values: object) -> T:
        """One copy, given what differs."""
        made: T = object.__new__(self._kind)
        for name, value in self._same:
            _set(made, name, value)
        for name, value in values.items():
            _set(made, name, value)
        return made
