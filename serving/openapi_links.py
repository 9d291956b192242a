"""OpenAPI links: what an answer names, and the address where to go on with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict

Json = dict[str, object]
_RESERVED = "$response.body#/reservation/reservation_id"
_LISTED = "$response.body#/reservations/0/reservation_id"
_PLANNED = "$response.body#/action/method_id"
_OF_PAYMENT = "$request.body#/payment/merchant_id"
_OF_BODY = "$request.body#/merchant_id"
_OF_QUERY = "$request.query.merchant_id"


class Operation(TypedDict, total=False):
    """One HTTP method of an address, as far as it is described for all of them together."""

    operationId: str
    security: list[dict[str, list[str]]]
    parameters: list[Json]
    responses: dict[str, Json]


Address = tuple[str, str]
"""HTTP method in small letters, and path as it stands in the document."""


@dataclass(frozen=True, slots=True)
class Link:
    """A way on from an answer.

    Args:
        parameters: What to ask with, by parameter, as OpenAPI's runtime expressions.
        body: The same of the fields of a body.
    """

    name: str
    target: Address
    description: str
    parameters: Mapping[str, str]
    body: Mapping[str, str] = field(default_factory=dict)


def _of_reservation(reservation: str, merchant: str) -> tuple[Link, ...]:
    """What can be done with a reservation."""
    named, body = {"reservation_id": reservation}, {"merchant_id": merchant}
    one = "/v1/reservations/{reservation_id}"
    return (
        Link("see", ("get", one), "Where the reservation stands", named | {"merchant_id": merchant}),
        Link("check", ("post", f"{one}/check"), "Ask just before charging", named, body),
        Link("settle", ("post", f"{one}/settle"), "Tell the attempt that was made", named, body),
        Link("release", ("post", f"{one}/release"), "Let the hold go", named, body),
    )


def _of_payment(payment: str, merchant: str) -> Link:
    parameters = {"payment_id": payment, "merchant_id": merchant}
    return Link("timeline", ("get", "/v1/payments/{payment_id}"), "What is known of the payment", parameters)


def _of_method(method: str, merchant: str) -> tuple[Link, ...]:
    parameters = {"method_id": method, "merchant_id": merchant}
    return (
        Link("budgets", ("get", "/v1/methods/{method_id}/budgets"), "What is left of every limit", parameters),
        Link("tried", ("get", "/v1/methods/{method_id}/attempts"), "Every attempt on the method", parameters),
    )


def _next_page(path: str, merchant: str, **more: str) -> Link:
    parameters = {"cursor": "$response.body#/next_cursor", "merchant_id": merchant, **more}
    return Link("next", ("get", path), "The next page, where has_more is true", parameters)


_SETTLED = "$request.path.reservation_id"
LINKS: Mapping[Address, tuple[Link, ...]] = {
    ("post", "/v1/decisions"): (
        *_of_reservation(_RESERVED, _OF_PAYMENT),
        _of_payment("$response.body#/payment_id", _OF_PAYMENT),
        *_of_method(_PLANNED, _OF_PAYMENT),
    ),
    ("post", "/v1/attempts"): (
        _of_payment("$request.body#/attempt/payment_id", _OF_BODY),
        *_of_method("$request.body#/attempt/method/method_id", _OF_BODY),
    ),
    ("post", "/v1/payments/{payment_id}/events"): (_of_payment("$request.path.payment_id", _OF_BODY),),
    ("get", "/v1/payments"): (
        _of_payment("$response.body#/payments/0/payment_id", _OF_QUERY),
        _next_page("/v1/payments", _OF_QUERY),
    ),
    ("get", "/v1/payments/{payment_id}"): (
        _next_page("/v1/payments/{payment_id}", _OF_QUERY, payment_id="$request.path.payment_id"),
    ),
    ("get", "/v1/reservations"): (
        *_of_reservation(_LISTED, _OF_QUERY),
        _next_page("/v1/reservations", _OF_QUERY),
    ),
    ("get", "/v1/methods/{method_id}/attempts"): (
        _next_page("/v1/methods/{method_id}/attempts", _OF_QUERY, method_id="$request.path.method_id"),
    ),
    ("post", "/v1/reservations/{reservation_id}/check"): _of_reservation(_SETTLED, _OF_BODY),
    ("post", "/v1/reservations/{reservation_id}/settle"): (
        *_of_reservation(_SETTLED, _OF_BODY),
        _of_payment("$response.body#/reservation/payment_id", _OF_BODY),
    ),
    ("post", "/v1/reservations/{reservation_id}/release"): (
        *_of_reservation(_SETTLED, _OF_BODY),
        _of_payment("$response.body#/payment_id", _OF_BODY),
    ),
}


def add_links(paths: Mapping[str, Mapping[str, Operation]]) -> None:
    """Write the links into the answers of the document's addresses."""
    for (method, path), links in LINKS.items():
        paths[path][method]["responses"]["200"]["links"] = {one.name: _link(one, paths) for one in links}


def _link(link: Link, paths: Mapping[str, Mapping[str, Operation]]) -> Json:
    method, path = link.target
    made: Json = {
        "operationId": paths[path][method]["operationId"],
        "description": link.description,
        "parameters": dict(link.parameters),
    }
    return made | {"requestBody": dict(link.body)} if link.body else made
