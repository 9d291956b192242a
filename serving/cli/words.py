"""Options that take one word of a few."""

from enum import StrEnum
from typing import TypeVar

from features.errors import InvalidValueError

Word = TypeVar("Word", bound=StrEnum)


def one_of(words: type[Word], option: str, word: str) -> Word:
    """The word that was given.

    Raises:
        InvalidValueError: It is none of them.
    """
    try:
        return words(word)
    except ValueError:
        raise InvalidValueError(option, word, f"one of {', '.join(words)}") from None
