"""Why an attempt was declined, in the field's words and in the sender's own."""

from dataclasses import dataclass

from features.vocabulary import DeclineCategory, Network, Retryability


@dataclass(frozen=True, slots=True)
class Decline:
    """One refusal.

    Args:
        code: The raw code as it came, upper-cased and trimmed; None when the sender gave none.
        subcode: A second raw code that came with it (scheme code, brand), or None.
        advice_code: Mastercard merchant advice code, two digits, or None. It outranks the response code.
        advice: What the advice asks for, as a sentence, or None.
        min_wait_hours: How long the advice asks to wait, or None.
        title: The code's meaning as its source puts it; empty when unknown.
    """

    network: Network
    code: str | None
    subcode: str | None = None
    category: DeclineCategory = DeclineCategory.UNKNOWN
    retryability: Retryability = Retryability.UNKNOWN
    advice_code: str | None = None
    advice: str | None = None
    min_wait_hours: int | None = None
    title: str = ""
