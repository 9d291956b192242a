"""What the loops say of each row beside its columns: facts as the shipped prior reads them."""

from enum import IntEnum


class Fact(IntEnum):
    """The columns of the facts of rows; "the failure" is the payment's latest with the row's method.

    Args:
        CATEGORY, ERROR, RETRYABILITY: Of the failure; -1 for none (or none said), and whether it was an error.
        FAILURES: How often the payment failed with the method.
        HOURS: Since the failure; NaN for none.
        MOVED: Whether another processor is asked than at the failure.
        APPROVED: Microseconds from the method's latest approval, for any payment, to the decision; NaN for none.
        HOUR: Of the issuer's day.
        BANKING: Whether banks work.
        FROM_PAYDAY, TO_PAYDAY: Days; -1 where the country is not known.
        RAIL: Its code.
    """

    CATEGORY = 0
    ERROR = 1
    RETRYABILITY = 2
    FAILURES = 3
    HOURS = 4
    MOVED = 5
    APPROVED = 6
    HOUR = 7
    BANKING = 8
    FROM_PAYDAY = 9
    TO_PAYDAY = 10
    RAIL = 11
