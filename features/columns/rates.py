"""Columns of approval rates as known then (`features.rates`), and of outages."""

from features.columns.arithmetic import rate
from features.columns.column import Values, column
from features.encoders import Encoders
from features.rows import Rows


@column("share", "action", monotone=1)
def issuer_rate(rows: Rows, encoders: Encoders) -> Values:
    """Share of the issuer's attempts approved (half-life 30 days, shrunk to country and network)."""
    return rate(rows, encoders, "issuer")


@column("share", "action", monotone=1)
def issuer_week_rate(rows: Rows, encoders: Encoders) -> Values:
    """The same with a half-life of 7 days: an issuer that has grown stricter shows here within a week."""
    return rate(rows, encoders, "issuer_week")


@column("share", "action", monotone=1)
def issuer_recent_rate(rows: Rows, encoders: Encoders) -> Values:
    """The same over the last hours (half-life 12 h): an issuer's outage shows here first."""
    return rate(rows, encoders, "issuer_recent")


@column("share", "action", monotone=1)
def issuer_slot_rate(rows: Rows, encoders: Encoders) -> Values:
    """Share of the issuer's attempts approved in this quarter of its day (half-life 90 days): its nightly habits."""
    return rate(rows, encoders, "issuer_slot")


@column("share", "action", monotone=1)
def issuer_form_rate(rows: Rows, encoders: Encoders) -> Values:
    """Share of the issuer's attempts with this funding and credential form approved (half-life 90 days)."""
    return rate(rows, encoders, "issuer_form")


@column("share", "action", monotone=1)
def issuer_retry_rate(rows: Rows, encoders: Encoders) -> Values:
    """Share of the issuer's retries approved (half-life 60 days, shrunk to its country)."""
    return rate(rows, encoders, "retry_issuer")


@column("share", "action", monotone=1)
def issuer_slot_retry_rate(rows: Rows, encoders: Encoders) -> Values:
    """Share of the issuer's retries approved in this quarter of its day (half-life 90 days)."""
    return rate(rows, encoders, "retry_issuer_slot")


@column("share", "context", monotone=1)
def category_retry_rate(rows: Rows, encoders: Encoders) -> Values:
    """Share of retries approved after this kind of decline in this country (half-life 90 days)."""
    return rate(rows, encoders, "retry_category_market")


@column("share", "action", monotone=1)
def category_issuer_retry_rate(rows: Rows, encoders: Encoders) -> Values:
    """Share of the issuer's retries approved after this kind of decline: what its words are worth (90 days)."""
    return rate(rows, encoders, "retry_category_issuer")


@column("share", "action", monotone=1)
def processor_rate(rows: Rows, encoders: Encoders) -> Values:
    """Share of attempts approved through this processor for this country and network (half-life 30 days)."""
    return rate(rows, encoders, "processor")


@column("share", "action", monotone=1)
def processor_recent_rate(rows: Rows, encoders: Encoders) -> Values:
    """Share approved through this processor over the last hours (half-life 6 h): its outages."""
    return rate(rows, encoders, "processor_recent")


@column("share", "action", monotone=1)
def processor_retry_rate(rows: Rows, encoders: Encoders) -> Values:
    """Share of retries approved through this processor after this kind of decline (half-life 30 days)."""
    return rate(rows, encoders, "retry_processor")


@column("share", "action", monotone=1)
def route_issuer_rate(rows: Rows, encoders: Encoders) -> Values:
    """Share of this issuer's attempts through this processor approved (half-life 90 days): issuers like some routes."""
    return rate(rows, encoders, "route_issuer")


@column("share", "action")
def issuer_technical_share(rows: Rows, encoders: Encoders) -> Values:
    """Share of the issuer's attempts of the last hours that met a system failure (half-life 6 h): its outages."""
    return rate(rows, encoders, "issuer_technical")


@column("share", "action")
def processor_technical_share(rows: Rows, encoders: Encoders) -> Values:
    """Share of the processor's attempts of the last hours that met a system failure (half-life 6 h)."""
    return rate(rows, encoders, "processor_technical")


@column("hours", "action")
def issuer_silence(rows: Rows, encoders: Encoders) -> Values:
    """Hours since the issuer's last approval for anyone, up to the latest approval known: silence is an outage."""
    return encoders.silence(rows, "issuer_recent")


@column("hours", "action")
def processor_silence(rows: Rows, encoders: Encoders) -> Values:
    """Hours since the last approval through this processor for anyone, up to the latest approval known."""
    return encoders.silence(rows, "processor_recent")


COLUMNS = (
    issuer_rate,
    issuer_week_rate,
    issuer_recent_rate,
    issuer_slot_rate,
    issuer_form_rate,
    issuer_retry_rate,
    issuer_slot_retry_rate,
    category_retry_rate,
    category_issuer_retry_rate,
    processor_rate,
    processor_recent_rate,
    processor_retry_rate,
    route_issuer_rate,
    issuer_technical_share,
    processor_technical_share,
    issuer_silence,
    processor_silence,
)
