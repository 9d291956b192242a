"""What stands in the ledger now, for Prometheus: read at each look, so that any worker tells the same."""

from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from features.instants import to_micros
from serving.ledger.store import Store

_MICROS = 1_000_000


def gauges(store: Store, now: datetime) -> bytes:
    """Events out, deliveries that wait, and stops in force, as Prometheus reads them."""
    micros = to_micros(now)
    with store.reading() as transaction:
        events, due, deliveries, stops = transaction.ask(
            ("events_out_by_state", {}),
            ("oldest_sending_due", {}),
            ("deliveries_by_state", {}),
            ("stops_in_force", {}),
        )
    own = CollectorRegistry()
    by_state = Gauge("recoup_events_out", "Events out that a target has not got.", ("state",), registry=own)
    for state, number in events:
        by_state.labels(str(state)).set(int(number or 0))
    oldest = Gauge("recoup_events_out_overdue_seconds", "For how long the oldest event has been due.", registry=own)
    ((due_at,),) = due
    oldest.set(0 if due_at is None else max(0, micros - int(due_at)) / _MICROS)
    unsettled = Gauge(
        "recoup_webhook_deliveries_unsettled", "Webhooks kept that are to be read again.", ("state",), registry=own
    )
    for state, number in deliveries:
        unsettled.labels(str(state)).set(int(number or 0))
    in_force = Gauge("recoup_stops_in_force", "Stops in force, by for whom.", ("of",), registry=own)
    for whom, number in stops:
        in_force.labels(str(whom)).set(int(number or 0))
    return generate_latest(own)
