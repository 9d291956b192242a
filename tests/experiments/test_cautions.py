"""What nobody measures or sends yet is told before the start, in one sentence each, and is no fault."""

from experiment_builders import TEXT, sentences, text_with
from experiments.cautions import NEEDS, cautions
from experiments.cohorts import UNTOLD
from experiments.definition_file import read_definition


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
    need = "is measured by nobody yet, for it needs"
    later = "ended subscriptions and later invoices, which the ledger is not told"
    messages = "answers to messages, which the ledger is not told"
    no_report, no_answer = "there would be no report; decide by another metric", "it would have no answer; leave it out"
    stays_open = "it would stay open and no win could be ready to ship; leave it out"
    assert told(text) == [
        f"first.toml, primary_metric: 'value_30' {need} {later}: {no_report}.",
        f"first.toml, secondary_metrics[1]: 'unsubscribes' {need} {messages}: {no_answer}.",
        f"first.toml, guardrails.complaints: 'complaints' {need} {messages}: {stays_open}.",
    ]


def test_a_message_journey_keeps_the_service_from_starting() -> None:
    text = text_with(('policy = { kind = "plan" }', 'policy = { kind = "plan" }\njourney = "gentle"'))
    (only,) = told(text)
    why = "nobody sends yet: the service refuses to start with it; leave it out"
    assert only == f"first.toml, variants.plan.journey: 'gentle' is a message journey, which {why}."


def test_every_metric_that_nobody_tells_of_says_what_it_needs() -> None:
    assert set(NEEDS) == UNTOLD
