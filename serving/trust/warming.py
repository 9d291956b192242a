"""The worked examples of the interface, answered before a model takes its first request."""

from collections.abc import Callable
from datetime import datetime

from model.decide import decide
from serving.answers import answer_body
from serving.contexts import context_of
from serving.examples import EXAMPLES
from serving.requests import parse_request
from serving.service import Service


def answer_examples(service: Service, clock: Callable[[], datetime]) -> None:
    """Answer each with the service's own scorer, so that nothing is left to be made when the first caller asks.

    Raises:
        Exception: Whatever the scorer raises on one of them.
    """
    for example in EXAMPLES:
        context = context_of(parse_request(example.body), clock())
        decision = decide(context, service.answering.scorer, service.rulebook, service.economics)
        answer_body(decision, context)
