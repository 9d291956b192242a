"""How the numbers of a world are written in a history, and read back from a decision."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from experiments.simulator.methods import SLOTS
from experiments.simulator.settings import MAX_CUSTOMERS, MAX_MONTHS
from features.errors import InvalidValueError

Int64s = NDArray[np.int64]

MERCHANT = "northwind"
_CUSTOMER_DIGITS = len(str(MAX_CUSTOMERS))
_MONTH_DIGITS = len(str(MAX_MONTHS))


def customer_ids(customer: Int64s) -> pa.Array:
    """`cus_0000012`."""
    return _joined([pa.scalar("cus_"), _digits(customer, _CUSTOMER_DIGITS)])


def payment_ids(customer: Int64s, payment: Int64s) -> pa.Array:
    """`inv_0000012_003`: the customer and the month of billing."""
    return _joined(
        [pa.scalar("inv_"), _digits(customer, _CUSTOMER_DIGITS), pa.scalar("_"), _digits(payment, _MONTH_DIGITS)]
    )


def attempt_ids(customer: Int64s, payment: Int64s, order: Int64s) -> pa.Array:
    """`att_0000012_003_1`: the payment and the attempt's place in it."""
    payments = [_digits(customer, _CUSTOMER_DIGITS), pa.scalar("_"), _digits(payment, _MONTH_DIGITS)]
    return _joined([pa.scalar("att_"), *payments, pa.scalar("_"), _digits(order, 1)])


def method_ids(customer: Int64s, slot: Int64s) -> pa.Array:
    """`pm_0000012_2`: the customer and the method's slot."""
    return _joined([pa.scalar("pm_"), _digits(customer, _CUSTOMER_DIGITS), pa.scalar("_"), _digits(slot, 1)])


def parse_payment(payment_id: str) -> tuple[int, int]:
    """Customer number and month of a payment id.

    Raises:
        InvalidValueError: Not a payment id of a simulated world.
    """
    match payment_id.split("_"):
        case ["inv", customer, month] if customer.isdecimal() and month.isdecimal():
            return int(customer), int(month)
    raise InvalidValueError("payment_id", payment_id, "a payment of this world, such as inv_0000012_003")


def parse_method(method_id: str) -> tuple[int, int]:
    """Customer number and slot of a method id.

    Raises:
        InvalidValueError: Not a method id of a simulated world.
    """
    match method_id.split("_"):
        case ["pm", customer, slot] if customer.isdecimal() and slot.isdecimal() and int(slot) < SLOTS:
            return int(customer), int(slot)
    raise InvalidValueError("method_id", method_id, "a method of this world, such as pm_0000012_0")


def _digits(values: Int64s, width: int) -> pa.Array:
    return pc.utf8_lpad(pc.cast(pa.array(values), pa.string()), width, "0")


def _joined(parts: Sequence[pa.Array | pa.Scalar]) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")
