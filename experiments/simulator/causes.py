"""Why an attempt really failed: the hidden truth behind a decline code."""

from enum import IntEnum, auto


class Cause(IntEnum):
    """What decided an attempt. Later members outrank earlier ones: a dead card answers so whatever its balance."""

    APPROVED = 0
    DO_NOT_HONOR = auto()
    NO_FUNDS = auto()
    AMOUNT_LIMIT = auto()
    VELOCITY = auto()
    AUTHENTICATION = auto()
    RESTRICTED = auto()
    FRAUD_HOLD = auto()
    EXPIRED = auto()
    NEW_ACCOUNT = auto()
    CLOSED = auto()
    STOLEN = auto()
    LOST = auto()
    REVOKED = auto()
    ISSUER_DOWN = auto()
    TECHNICAL = auto()
    PROCESSOR_DOWN = auto()


# What no waiting mends: a merchant that reads codes stops sending this method for this payment.
FINAL = (
    Cause.AUTHENTICATION,
    Cause.EXPIRED,
    Cause.NEW_ACCOUNT,
    Cause.CLOSED,
    Cause.STOLEN,
    Cause.LOST,
    Cause.REVOKED,
)
