"""Worked examples of what is told to the ledger: one story of a payment, from its first failure to its end."""

from serving.openapi import Json

_MERCHANT = "acme"
_METHOD: Json = {"method_id": "pm_visa", "rail": "card", "network": "visa", "issuer_country": "DE"}
_ATTEMPT: Json = {
    "payment_id": "inv_2207",
    "customer_id": "cus_88",
    "method": _METHOD,
    "processor": "northgate",
    "amount_minor": 2999,
    "currency": "EUR",
    "attempted_at": "2026-11-23T09:00:00Z",
    "outcome": "declined",
    "code": "51",
}
_REPORT: Json = {
    "merchant_id": _MERCHANT,
    "event_id": "evt_1001",
    "attempt_id": "att_2207",
    "source": "webhook",
    "attempt": _ATTEMPT,
}

REPORTS: dict[str, Json] = {
    "a-decline": {"summary": "A decline that a processor told of", "value": _REPORT},
    "settling": {
        "summary": "The attempt that a reservation was held for",
        "value": {
            **_REPORT,
            "event_id": "evt_1002",
            "attempt_id": "att_2208",
            "attempt": {**_ATTEMPT, "attempted_at": "2026-11-30T07:10:00Z", "outcome": "approved", "code": None},
            "reservation_id": "rsv_5f0c2a9be1d34c77a8b0d1e2",
        },
    },
    "correction": {
        "summary": "The customer had started it",
        "value": {
            **_REPORT,
            "event_id": "fix_1",
            "kind": "corrected",
            "source": "reported",
            "told_at": "2026-11-23T12:00:00Z",
            "attempt": {**_ATTEMPT, "initiator": "customer"},
        },
    },
    "reversal": {
        "summary": "A SEPA debit came back",
        "value": {
            "merchant_id": _MERCHANT,
            "event_id": "evt_1003",
            "attempt_id": "att_dd_7",
            "kind": "reversed",
            "told_at": "2026-11-26T06:30:00Z",
            "returned": {"processor": "gocardless", "network": "sepa_core", "code": "MD06"},
        },
    },
}

PAYMENT_EVENTS: dict[str, Json] = {
    "paid": {
        "summary": "Paid by bank transfer",
        "value": {
            "merchant_id": _MERCHANT,
            "event_id": "evt_2001",
            "kind": "payment_paid",
            "happened_at": "2026-11-24T08:00:00Z",
        },
    },
    "consent": {
        "summary": "The customer no longer allows a card",
        "value": {
            "merchant_id": _MERCHANT,
            "event_id": "evt_2002",
            "kind": "consent_withdrawn",
            "method_id": "pm_visa",
            "happened_at": "2026-11-24T08:00:00Z",
        },
    },
    "opted out": {
        "summary": "No retries are wanted for this payment",
        "value": {
            "merchant_id": _MERCHANT,
            "event_id": "evt_2004",
            "kind": "payment_opted_out",
            "reason": "the customer is on the phone with us",
            "happened_at": "2026-11-24T08:00:00Z",
        },
    },
    "fixed": {
        "summary": "The payer authorized a stopped debit anew",
        "value": {
            "merchant_id": _MERCHANT,
            "event_id": "evt_2003",
            "kind": "method_fixed",
            "method_id": "pm_ach",
            "fix": "authorization",
            "happened_at": "2026-11-24T08:00:00Z",
        },
    },
}
CUSTOMER_EVENTS: dict[str, Json] = {
    "lost": {
        "summary": "The subscription ended for want of payment",
        "value": {
            "merchant_id": _MERCHANT,
            "event_id": "evt_3001",
            "kind": "customer_lost",
            "happened_at": "2026-11-24T08:00:00Z",
        },
    },
    "paid": {
        "summary": "The next invoice was paid",
        "value": {
            "merchant_id": _MERCHANT,
            "event_id": "evt_3002",
            "kind": "customer_paid",
            "amount_minor": 2900,
            "currency": "EUR",
            "happened_at": "2026-11-24T08:00:00Z",
        },
    },
}
MONEY_BACK: dict[str, Json] = {
    "refund": {
        "summary": "Half of it was refunded",
        "value": {
            "merchant_id": _MERCHANT,
            "event_id": "evt_4001",
            "kind": "refund",
            "amount_minor": 1450,
            "happened_at": "2026-11-24T08:00:00Z",
        },
    },
}
CHECKS: dict[str, Json] = {"check": {"summary": "Just before charging", "value": {"merchant_id": _MERCHANT}}}
SETTLINGS: dict[str, Json] = {
    "approved": {
        "summary": "It was approved",
        "value": {
            "merchant_id": _MERCHANT,
            "attempt": {"attempt_id": "att_2208", "attempted_at": "2026-11-30T07:10:00Z", "outcome": "approved"},
        },
    },
}
RELEASES: dict[str, Json] = {
    "release": {"summary": "Not made", "value": {"merchant_id": _MERCHANT, "reason": "the invoice was changed"}},
}
