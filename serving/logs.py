"""Structured log lines: JSON for machines, columns for a terminal; never a body, a token or a person."""

import sys
from typing import TextIO

import structlog
from structlog.typing import FilteringBoundLogger, Processor


def service_log(log_format: str, stream: TextIO = sys.stderr) -> FilteringBoundLogger:
    """A logger that writes one line an event to the stream, without touching global configuration."""
    readable = log_format == "console" or (log_format == "auto" and stream.isatty())
    renderer: Processor = structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer()
    logger: FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger("INFO"),
    )
    return logger
