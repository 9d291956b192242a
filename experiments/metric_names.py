"""The metrics that a definition may name, each with the question that it answers."""

from collections.abc import Mapping

METRIC_NAMES: Mapping[str, str] = {
    "recovered_value": "How much of each unit of money that failed is back by day N, by whatever means?",
    "recovered_value_by_retry": "How much of it came back through retries?",
    "recovered_value_by_customer": "How much of it did customers pay by hand?",
    "net_value": "How much of each unit of money that failed is left after fees and incentives?",
    "rate_amount_any_means": "What share of the amount that failed was recovered by any means?",
    "rate_cohort_open_counted": "What share of all failed payments was recovered, those in progress counted as not?",
    "rate_closed_only": "What share of the payments that came to an end was recovered?",
    "rate_attempted_amount": "What share of the amount that was retried did retries recover?",
    "rate_documents_collected": "What share of the payments retried was collected, by any means?",
    "rate_recovery_events": "What share of retries recovered a payment?",
    "attempts_per_recovery": "How many retries does one recovered payment cost?",
    "attempts_per_payment": "How many retries does a failed payment get?",
    "cap_use": "How much of what the limits allow is used?",
    "days_to_recovery": "How long do the recovered take?",
    "days_unpaid": "How many of the N days is a failed payment unpaid?",
    "involuntary_churn": "What share of payers was lost because a payment failed?",
    "retention_30": "What share of payers is still there 30 days after the failure?",
    "retention_60": "What share of payers is still there 60 days after the failure?",
    "retention_90": "What share of payers is still there 90 days after the failure?",
    "value_30": "What does a payer pay in the 30 days after the failure?",
    "value_60": "What does a payer pay in the 60 days after the failure?",
    "value_90": "What does a payer pay in the 90 days after the failure?",
    "complaints": "What share of payers complains?",
    "unsubscribes": "What share of payers no longer wants messages?",
    "chargebacks": "What share of payers disputes a charge?",
}
