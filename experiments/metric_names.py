"""The metrics that a definition may name; what each is, `experiments.metrics.catalogue` says."""

METRIC_NAMES: frozenset[str] = frozenset(
    {
        "recovered_value",
        "recovered_value_by_retry",
        "recovered_value_by_customer",
        "net_value",
        "rate_amount_any_means",
        "rate_cohort_open_counted",
        "rate_closed_only",
        "rate_attempted_amount",
        "rate_documents_collected",
        "rate_recovery_events",
        "attempts_per_recovery",
        "attempts_per_payment",
        "cap_use",
        "days_to_recovery",
        "days_unpaid",
        "involuntary_churn",
        "retention_30",
        "retention_60",
        "retention_90",
        "value_30",
        "value_60",
        "value_90",
        "complaints",
        "unsubscribes",
        "chargebacks",
    }
)
