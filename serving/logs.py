"""Structured log lines: JSON for machines, columns for a terminal; never a body, a token or a person."""

import sys
import traceback
from contextlib import suppress
from types import TracebackType
from typing import TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from features.card_number import mask_card_numbers


def service_log(log_format: str, stream: TextIO | None = None) -> FilteringBoundLogger:
    """A logger that writes one line an event, to standard error unless told, without global configuration."""
    out = stream or sys.stderr
    readable = log_format == "console" or (log_format == "auto" and out.isatty())
    renderer: Processor = structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer()
    logger: FilteringBoundLogger = structlog.wrap_logger(
        _Lines(out),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _where_it_failed,
            _without_card_numbers(renderer),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("INFO"),
    )
    return logger


class _Lines(structlog.PrintLogger):
    """Writes lines; one that cannot be written, as on a full disk, is lost: what it tells of was done all the same."""

    def msg(self, message: str) -> None:
        """Write one line."""
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = fatal = failure = err = error = critical = exception = msg


def _where_it_failed(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """The kind of a failure and its places in the code; its message may hold what a caller sent, so it stays out."""
    if event.pop("exc_info", None):
        kind, _, trace = sys.exc_info()
        event["failure"] = kind.__name__ if kind else "unknown"
        event["places"] = _places(trace)
    return event


def _places(trace: TracebackType | None) -> list[str]:
    """Where it went through our code, and where it ended."""
    frames = traceback.extract_tb(trace)
    own = [f for i, f in enumerate(frames, start=1) if "site-packages" not in f.filename or i == len(frames)]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in own]


def _without_card_numbers(renderer: Processor) -> Processor:
    def masked(logger: WrappedLogger, name: str, event: EventDict) -> str:
        return mask_card_numbers(str(renderer(logger, name, event)))

    return masked
