"""Names that came from outside, as labels: the first few as they are, all later ones together."""

OTHER = "other"


class Few:
    """At most so many names.

    >>> few = Few(2)
    >>> [few.name(one) for one in ("stripe", "adyen", "braintree", "stripe")]
    ['stripe', 'adyen', 'other', 'stripe']
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()

    def name(self, given: str) -> str:
        """The name itself, or `other` once there are too many."""
        if given in self._known:
            return given
        if len(self._known) >= self._most:
            return OTHER
        self._known.add(given)
        return given
