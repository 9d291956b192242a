"""`recoup decide`: the decision of the service without the service, for a request file or a point of a history."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from serving.replayed import Replayed


def decide(
    request: Annotated[
        Path | None, typer.Argument(help="Request as it is posted to /v1/decisions; - reads standard input.")
    ] = None,
    history: Annotated[Path | None, typer.Option(help="Attempt history to replay a decision from.")] = None,
    payment: Annotated[str | None, typer.Option(help="payment_id in the history.")] = None,
    merchant: Annotated[
        str | None,
        typer.Option(help="Whose payment it is, where several merchants of the history have one of that id."),
    ] = None,
    after: Annotated[int, typer.Option(help="Decide as of the payment's n-th failure.", min=1)] = 1,
    model: Annotated[
        Path | None, typer.Option(help="Artifact folder to answer with instead of the registered champion.")
    ] = None,
    economics: Annotated[Path | None, typer.Option(help="TOML file of margins, fees and costs.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as the service would send it.")] = False,
) -> None:
    """Decide what to do about a failed payment, offline."""
    import os
    import sys
    from dataclasses import replace
    from datetime import UTC, datetime

    from features.errors import InputError
    from serving.answers import answer_of
    from serving.contexts import context_of
    from serving.registry import read_scorer
    from serving.rendering import console, rendered
    from serving.replayed import replayed
    from serving.requests import parse_request
    from serving.service import load_service
    from serving.settings import settings_from

    if (request is None) == (history is None) or (history is None) != (payment is None):
        raise InputError("give either a REQUEST file, or --history FILE with --payment ID")
    settings = settings_from(os.environ)
    settings = replace(settings, model=model or settings.model, economics=economics or settings.economics)
    if model is not None:
        read_scorer(model)
    point = replayed(history, payment, after, merchant) if history and payment else None
    context = point.context if point else context_of(parse_request(_body(request)), datetime.now(UTC))
    answer = answer_of(load_service(settings).decide(context), context)
    if as_json:
        sys.stdout.write(answer.model_dump_json() + "\n")
        return
    out = console()
    out.print(rendered(answer))
    if point is not None:
        out.print(_what_happened(point))


def _body(request: Path | None) -> bytes:
    import sys

    from features.errors import InputError

    if request is None or str(request) == "-":
        return sys.stdin.buffer.read()
    try:
        return request.read_bytes()
    except OSError as error:
        raise InputError(f"the request {request} cannot be read: {error.strerror}") from None


def _what_happened(point: "Replayed") -> str:
    """One sentence on the past: the next attempt that was really made, and whether the payment was recovered."""
    from model.wording import count_words
    from serving.rendering import instant_words

    made = point.next_attempt
    if made is None:
        return "What really happened: no further attempt was made."
    why = f" ({made.decline.code})" if made.decline and made.decline.code else ""
    end = f"recovered on {instant_words(point.recovered_at)}" if point.recovered_at else "never recovered"
    return (
        f"What really happened: {instant_words(made.at)} {made.method_id} through {made.processor}: "
        f"{made.outcome}{why}; {count_words(point.attempts_after, 'further attempt')} in all, {end}."
    )
