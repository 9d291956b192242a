"""What a reservation's row keeps of its proposal: a column for what is counted by, and one for the rest.

The rest is a JSON list of values without names. A row is written at every reservation and read at few; its size is most
of what it costs to write. Rows of earlier versions hold the whole proposal as a JSON object.
"""

import orjson
from pydantic import TypeAdapter

from model.caps.engine import Proposal
from serving.ledger.store import Value

_PROPOSAL = TypeAdapter(Proposal)
# In the order of the list. It may grow at its end: what a row does not have takes its default.
_OF_PAYMENT = ("customer_id", "due_at", "recover_by", "market", "merchant_country", "purpose")
_OF_ISSUER = ("issuer_id", "country", "time_zone", "bin")
_OF_METHOD = ("rail", "funding", "credential", "expires_on", "consented", "processors")
_OF_PROPOSAL = ("decided_at",)


def written(proposal: Proposal) -> dict[str, Value]:
    """The columns of a reservation that say what is proposed."""
    payment, method = proposal.payment, proposal.method
    amount, issuer = payment.amount, method.issuer
    rest = (
        *(payment.customer_id, payment.due_at, payment.recover_by),
        *(payment.market, payment.merchant_country, payment.purpose),
        *(issuer.issuer_id, issuer.country, issuer.time_zone, issuer.bin),
        *(method.rail, method.funding, method.credential, method.expires_on, method.consented, method.processors),
        proposal.decided_at,
    )
    return {
        "merchant_id": payment.merchant_id,
        "payment_id": payment.payment_id,
        "method_id": method.method_id,
        "mandate_id": method.mandate_id,
        "network": str(method.network),
        "processor": proposal.processor,
        "initiator": str(proposal.initiator),
        "amount_minor": amount.amount_minor,
        "currency": amount.currency,
        "proposal": orjson.dumps(rest).decode(),
    }


def read(columns: dict[str, Value]) -> Proposal:
    """The proposal that columns say, as `written` names them."""
    text = str(columns["proposal"])
    if text.startswith("{"):
        return _PROPOSAL.validate_json(text)
    values = orjson.loads(text)
    names = (*_OF_PAYMENT, *_OF_ISSUER, *_OF_METHOD, *_OF_PROPOSAL)
    rest = dict(zip(names, values, strict=False))
    amount = {name: columns[name] for name in ("amount_minor", "currency")}
    payment = {name: columns[name] for name in ("merchant_id", "payment_id")} | _part(rest, _OF_PAYMENT)
    method = {name: columns[name] for name in ("method_id", "mandate_id", "network")} | _part(rest, _OF_METHOD)
    return _PROPOSAL.validate_python(
        {
            "payment": {**payment, "amount": amount},
            "method": {**method, "issuer": _part(rest, _OF_ISSUER)},
            **{name: columns[name] for name in ("processor", "initiator")},
            **_part(rest, _OF_PROPOSAL),
        }
    )


def _part(rest: dict[str, object], names: tuple[str, ...]) -> dict[str, object]:
    return {name: rest[name] for name in names if name in rest}
