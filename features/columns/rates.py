"""Columns of approval rates as known then (`features.rates`), each beside the wider rate it is part of, and of outages.

A rate alone rises and falls with the merchant's whole business, and trees would learn those dates by heart. So a
column says by how many points of a hundred the rate lies above the next wider one.
"""

import numpy as np

from features.columns.arithmetic import lift, rate
from features.columns.column import Values, column
from features.encoders import Encoders
from features.rows import Rows


@column("points", "action", monotone=1)
def issuer_lift(rows: Rows, encoders: Encoders) -> Values:
    """Points by which the issuer approves more than all do (half-life 30 days, shrunk to country and network)."""
    return lift(rows, encoders, "issuer", "all")


@column("points", "action", monotone=1)
def bin_lift(rows: Rows, encoders: Encoders) -> Values:
    """Points by which the card's BIN is approved more than its whole issuer (half-life 90 days): products differ."""
    return lift(rows, encoders, "bin", "issuer")


@column("points", "action", monotone=1)
def issuer_recent_lift(rows: Rows, encoders: Encoders) -> Values:
    """Points above the issuer's month over the last hours (half-life 12 h): an issuer's outage shows here first."""
    return lift(rows, encoders, "issuer_recent", "issuer")


@column("points", "action", monotone=1)
def issuer_slot_lift(rows: Rows, encoders: Encoders) -> Values:
    """Points above the issuer's whole day in this quarter of it (half-life 90 days): its nightly habits."""
    return lift(rows, encoders, "issuer_slot", "issuer")


@column("points", "action", monotone=1)
def issuer_retry_lift(rows: Rows, encoders: Encoders) -> Values:
    """Points by which the issuer approves retries more than its country does (half-life 60 days)."""
    return lift(rows, encoders, "retry_issuer", "retry_market")


@column("points", "action", monotone=1)
def bin_retry_lift(rows: Rows, encoders: Encoders) -> Values:
    """Points by which retries on the card's BIN are approved more than its issuer's (half-life 90 days)."""
    return lift(rows, encoders, "retry_bin", "retry_issuer")


@column("points", "action", monotone=1)
def issuer_slot_retry_lift(rows: Rows, encoders: Encoders) -> Values:
    """Points above the issuer's retries of the whole day in this quarter of it (half-life 90 days)."""
    return lift(rows, encoders, "retry_issuer_slot", "retry_issuer")


@column("points", "action", monotone=1)
def category_retry_lift(rows: Rows, encoders: Encoders) -> Values:
    """Points above the country's retries after this kind of decline (half-life 90 days): what its words are worth."""
    return lift(rows, encoders, "retry_category_market", "retry_market")


@column("points", "action", monotone=1)
def category_issuer_retry_lift(rows: Rows, encoders: Encoders) -> Values:
    """Points above the country's retries after this kind of decline when this issuer says it (half-life 90 days)."""
    return lift(rows, encoders, "retry_category_issuer", "retry_category_market")


@column("points", "action", monotone=1)
def processor_lift(rows: Rows, encoders: Encoders) -> Values:
    """Points by which the processor is approved more than others in this country and network (half-life 30 days)."""
    return lift(rows, encoders, "processor", "network")


@column("points", "action", monotone=1)
def processor_recent_lift(rows: Rows, encoders: Encoders) -> Values:
    """Points above everybody's over the last hours through this processor (half-life 6 h): its outages."""
    return lift(rows, encoders, "processor_recent", "all")


@column("points", "action", monotone=1)
def processor_retry_lift(rows: Rows, encoders: Encoders) -> Values:
    """Points above other processors' retries after this kind of decline (half-life 30 days)."""
    return lift(rows, encoders, "retry_processor", "retry_category")


@column("points", "action", monotone=1)
def route_issuer_lift(rows: Rows, encoders: Encoders) -> Values:
    """Points above the issuer's all through this processor (half-life 90 days): issuers like some routes."""
    return lift(rows, encoders, "route_issuer", "issuer")


@column("points", "action")
def issuer_technical_share(rows: Rows, encoders: Encoders) -> Values:
    """Of a hundred attempts of the issuer in the last hours, those that met a system failure (half-life 6 h)."""
    return np.rint(100 * rate(rows, encoders, "issuer_technical"))


@column("points", "action")
def processor_technical_share(rows: Rows, encoders: Encoders) -> Values:
    """Of a hundred attempts of the processor in the last hours, those that met a system failure (half-life 6 h)."""
    return np.rint(100 * rate(rows, encoders, "processor_technical"))


@column("hours", "action")
def issuer_silence(rows: Rows, encoders: Encoders) -> Values:
    """Hours since the issuer's last approval for anyone, up to the latest approval known: silence is an outage."""
    return encoders.silence(rows, "issuer_recent")


@column("hours", "action")
def processor_silence(rows: Rows, encoders: Encoders) -> Values:
    """Hours since the last approval through this processor for anyone, up to the latest approval known."""
    return encoders.silence(rows, "processor_recent")


COLUMNS = (
    issuer_lift,
    bin_lift,
    issuer_recent_lift,
    issuer_slot_lift,
    issuer_retry_lift,
    bin_retry_lift,
    issuer_slot_retry_lift,
    category_retry_lift,
    category_issuer_retry_lift,
    processor_lift,
    processor_recent_lift,
    processor_retry_lift,
    route_issuer_lift,
    issuer_technical_share,
    processor_technical_share,
    issuer_silence,
    processor_silence,
)
