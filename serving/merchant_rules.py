"""The merchant's own rules of the game: its settings of the rulebook and the decline codes that it adds."""

from pathlib import Path

from features.declines.extra import parse_extra, use
from features.errors import InputError
from model.caps.rulebook import Rulebook
from model.caps.settings import RulebookSettings, parse_settings
from serving.settings import Settings

_SETTINGS = "rulebook settings"


def merchant_rulebook(settings: Settings) -> Rulebook:
    """The shipped rulebook under the merchant's settings.

    Raises:
        InputError: The settings file or a rule file that it names cannot be read, or would loosen a rule; every fault
            is named.
    """
    path = settings.rulebook
    return Rulebook.load() if path is None else rulebook_under(parse_settings(_text(path, _SETTINGS), str(path)), path)


def rulebook_under(settings: RulebookSettings, path: Path) -> Rulebook:
    """The shipped rulebook under settings that stand in a file; the rule files that they name lie beside it.

    Raises:
        InputError: As for `merchant_rulebook`.
    """
    own = {str(file): _text(file, "rules") for file in (path.parent / name for name in settings.rules)}
    return settings.applied(Rulebook.load(), own)


def use_merchant_codes(settings: Settings) -> None:
    """Have the merchant's own decline codes asked before the shipped tables, in this process.

    Raises:
        InputError: The file cannot be read or misstates a code; every fault is named.
        CardNumberError: A code looks like a card number.
    """
    path = settings.declines
    if path is not None:
        use(parse_extra(_text(path, "decline codes"), str(path)))


def _text(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"the file of {what} {path} cannot be read: {reason}") from None
