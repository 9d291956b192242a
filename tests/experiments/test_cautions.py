"""What nobody measures or sends yet is told before the start, in one sentence each, and is no fault."""

from experiment_builders import TEXT, sentences, text_with
from experiments.cautions import NEEDS, cautions
from experiments.definition_file import read_definition
from experiments.payers import TOLD_BY


def told(text: str) -> list[str]:
    return [caution.sentence for caution in cautions(read_definition(text, "first.toml"))]


def test_a_definition_of_what_is_measured_has_nothing_to_know() -> None:
    assert told(TEXT) == []
    assert told("key = ") == []


def test_metrics_that_nobody_tells_of_say_what_they_need_and_what_to_do() -> None:
    text = text_with(
        ('"recovered_value"', '"value_30"'),
        ("smallest_effect = 0.05", 'smallest_effect = 0.05\nsecondary_metrics = ["net_value", "unsubscribes"]'),
        ("min_run_days = 28", "min_run_days = 28\nguardrails = { complaints = { margin = 0.001 } }"),
    )
    assert sentences(text) == []
    paid, complained = "all payments of customers (customer_paid)", "complaints (customer_complained)"
    unsubscribed = "messages no longer wanted (customer_unsubscribed)"

    def caution(key: str, metric: str, needed: str, until_then: str) -> str:
        why = f"is measured once {needed} are told, and until then {until_then}; see POST /v1/customers/{{id}}/events"
        return f"first.toml, {key}: '{metric}' {why}."

    assert told(text) == [
        caution("primary_metric", "value_30", paid, "there is no report"),
        caution("secondary_metrics[1]", "unsubscribes", unsubscribed, "it has no answer"),
        caution("guardrails.complaints", "complaints", complained, "it stays open and no win is ready to ship"),
    ]


def test_every_metric_that_nobody_tells_of_says_what_it_needs() -> None:
    assert set(NEEDS) == set(TOLD_BY)
