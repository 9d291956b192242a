"""Which endings of attempts set no rule off, as far as it has been looked at, in the form that a database takes."""

from dataclasses import dataclass, field

_KNOWN_AT_MOST = 256  # so many endings of one kind of attempt are told to the database; the rest is looked at each time


@dataclass(slots=True)
class Endings:
    """A growing set of endings.

    Args:
        listed: The same as text, a comma before and after each, so that one is found by looking for it between commas.
    """

    listed: str = ","
    _known: frozenset[int] = field(default_factory=frozenset)

    def add(self, ending: int) -> None:
        """One more; threads may add at once, and what one of them loses is found again."""
        if ending in self._known or len(self._known) >= _KNOWN_AT_MOST:
            return
        self._known |= {ending}
        self.listed = f",{','.join(map(str, self._known))},"

    @property
    def array(self) -> str:
        """The same as PostgreSQL writes an array."""
        return f"{{{self.listed[1:-1]}}}"


@dataclass(frozen=True, slots=True)
class Harmless:
    """The endings that are known to set nothing off.

    Args:
        here: Of attempts on the payment that is asked about.
        elsewhere: Of attempts on another payment with the method or mandate.
    """

    here: Endings = field(default_factory=Endings)
    elsewhere: Endings = field(default_factory=Endings)
