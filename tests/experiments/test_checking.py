"""What is wrong with a definition beyond its fields."""

from dataclasses import replace

import pytest

from experiment_builders import KNOWN, START, TEXT, a_definition, running, sentences, text_with
from experiments.beside import clashes
from experiments.changes import breaking
from experiments.definition import Change, Definition, Entry, Status
from experiments.definition_file import read_definition
from experiments.metric_names import METRIC_NAMES
from experiments.metrics.catalogue import METRICS

PLAN = 'policy = { kind = "plan" }'


def test_nothing_is_wrong_with_a_sound_definition() -> None:
    assert sentences(TEXT) == []


@pytest.mark.parametrize(
    ("swaps", "sentence"),
    [
        (
            [("weight = 0.5", "weight = 0.7")],
            "variants: 1.2 is not accepted; expected weights that add up to 1: lower some of fixed, plan.",
        ),
        (
            [("weight = 0.5", "weight = 0.50005")],
            (
                "variants.fixed.weight: 0.50005 is not accepted; expected whole buckets of 10,000: at most four "
                "digits after the point."
            ),
        ),
        (
            [(PLAN, f"{PLAN}\ntighten = {{ visa-cat2-reattempt-cap = {{ limit = 99 }} }}")],
            (
                "variants.plan.tighten.visa-cat2-reattempt-cap.limit: 99 is not accepted; expected a whole number "
                "from 0 to 15, for an arm may only tighten."
            ),
        ),
        (
            [(PLAN, f"{PLAN}\ntighten = {{ visa-cap = {{ limit = 1 }} }}")],
            (
                "variants.plan.tighten.visa-cap: 'visa-cap' is not accepted; expected the id of a rule; recoup "
                "rulebook show lists them."
            ),
        ),
        (
            [('control = "fixed"', 'control = "fix"')],
            "control: 'fix' is not accepted; expected one of the variants: fixed, plan.",
        ),
        (
            [('owner = "payments"', 'owner = "payments"\nunit = "payment"')],
            (
                "unit_reason: is missing; expected a sentence that says why payments of one customer may be "
                "treated apart."
            ),
        ),
        (
            [("[1, 3, 5, 7]", "[3, 1]")],
            "variants.fixed.policy.days: '[3, 1]' is not accepted; expected days in rising order, each once.",
        ),
        (
            [('status = "draft"', 'status = "running"')],
            (
                "status: 'running' is not accepted; expected a history that says so; recoup experiment start "
                "writes both."
            ),
        ),
        (
            [("coverage = 1.0", "coverage = 0.0001")],
            "coverage: 0.0001 is not accepted; expected enough for a bucket of fixed.",
        ),
        (
            [("\n[variants.fixed]", '\ntarget = { currency = "XYZ" }\n[variants.fixed]')],
            "target.currency: 'XYZ' is not accepted; expected an ISO 4217 code in capitals, such as EUR.",
        ),
        (
            [("\n[variants.fixed]", "\ntarget = { min_minor = 100 }\n[variants.fixed]")],
            "target.currency: is missing; expected the currency of min_minor, such as EUR.",
        ),
        (
            [("\n[variants.fixed]", '\noverrides = { acme = { cus_test = "pln" } }\n[variants.fixed]')],
            ("overrides.acme.cus_test: 'pln' is not accepted; expected one of the variants: fixed, plan, or hold-out."),
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_remedy(swaps: list[tuple[str, str]], sentence: str) -> None:
    assert f"first.toml, {sentence}" in sentences(text_with(*swaps))


def test_the_metrics_that_may_be_named_are_those_of_the_catalogue() -> None:
    assert set(METRICS) == METRIC_NAMES


def test_a_metric_that_does_not_exist_is_refused_with_those_that_do() -> None:
    (said,) = sentences(text_with(('"recovered_value"', '"revenue"')))
    assert said.startswith("first.toml, primary_metric: 'revenue' is not accepted; expected a metric that exists: ")
    assert "recovered_value" in said


def test_a_window_longer_than_the_history_is_refused() -> None:
    assert sentences(TEXT, replace(KNOWN, history_days=20)) == [
        "first.toml, window_days: 30 is not accepted; expected at most the 20 days that the history spans."
    ]
    assert sentences(TEXT, replace(KNOWN, history_days=30)) == []


def between(*texts: str) -> list[str]:
    reads = [read_definition(text, f"{place}.toml") for place, text in enumerate(texts)]
    return [fault.sentence for fault in clashes(reads)]


def other(*swaps: tuple[str, str]) -> str:
    return text_with(('key = "first"', 'key = "second"'), ("first-salt", "second-salt"), *swaps)


def placed(first: int, end: int, name: str = "retries", more: str = "") -> tuple[str, str]:
    table = f'namespace = {{ name = "{name}", first = {first}, end = {end} }}'
    return "\n[variants.fixed]", f"\n{table}\n{more}\n[variants.fixed]"


def test_experiments_of_one_namespace_may_not_share_buckets() -> None:
    half = text_with(placed(0, 5000))
    assert between(half, other(placed(5000, 10_000))) == []
    assert between(half, other(placed(4000, 10_000))) == [
        (
            "1.toml, namespace: '4000 to 10000' is not accepted; expected buckets that 0.toml does not use: "
            "first = 5000, end = 10000."
        )
    ]


def test_two_namespaces_that_both_decide_a_payment_are_refused_unless_their_targets_never_meet() -> None:
    german, french = ('target = { markets = ["DE"] }', 'target = { markets = ["FR"] }')
    (said,) = between(TEXT, other(placed(0, 10_000, "others")))
    assert said.startswith("1.toml, namespace.name: 'others' is not accepted; expected retries")
    assert between(text_with(placed(0, 10_000, more=german)), other(placed(0, 10_000, "others", french))) == []


def test_keys_and_salts_are_each_experiments_own() -> None:
    assert between(TEXT, TEXT)[0].startswith("1.toml, key: 'first' is not accepted; expected a key of its own")
    (said,) = between(text_with(placed(0, 5000)), text_with(('"first"', '"second"'), placed(5000, 10_000)))
    assert said.startswith("1.toml, salt: ")


def changed(after: Definition, before: Definition | None = None) -> list[str]:
    return [fault.key for fault in breaking(before or running(a_definition()), after, "first.toml")]


def test_a_ramp_breaks_nothing_and_neither_do_words() -> None:
    tenth = running(a_definition(), 0.1)
    assert changed(replace(running(a_definition(), 0.1, 0.5), owner="others"), tenth) == []


@pytest.mark.parametrize(
    ("swap", "key"),
    [
        (('"first-salt"', '"other-salt"'), "salt"),
        (('owner = "payments"', 'owner = "payments"\nunit = "payment"\nunit_reason = "They are shops."'), "unit"),
        (("window_days = 30", "window_days = 14"), "window_days"),
        (("window_days = 30", "window_days = 30\nplanned_units = 900"), "planned_units"),
        (("coverage = 1.0", "coverage = 0.5"), "coverage"),
        (("coverage = 1.0", "coverage = 1.0\nhold_out = 0.1"), "hold_out"),
        (("[1, 3, 5, 7]", "[1, 3, 5, 8]"), "variants.fixed.policy"),
        (("[variants.plan]", "[variants.plans]"), "variants.plan"),
        (placed(1, 10_000), "namespace"),
    ],
)
def test_what_would_move_units_or_the_plan_of_a_running_experiment_is_refused(swap: tuple[str, str], key: str) -> None:
    after = a_definition(swap)
    assert key in changed(replace(after, status=Status.RUNNING, history=running(a_definition()).history))
    assert changed(after, a_definition()) == []


def promising(secondary: str, **margins: float) -> Definition:
    """A running experiment with these secondary metrics and guard-rails."""
    rails = ", ".join(f"{name} = {{ margin = {margin} }}" for name, margin in margins.items())
    more = f"window_days = 30\nsecondary_metrics = [{secondary}]\nguardrails = {{ {rails} }}"
    return running(a_definition(("window_days = 30", more)))


PROMISED = promising('"net_value", "days_unpaid"', chargebacks=0.01, complaints=0.02)
START_ANEW = "as was planned before the start; start a new experiment for another."


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (
            promising('"net_value", "days_unpaid"', chargebacks=0.03, complaints=0.02),
            "guardrails.chargebacks.margin: 0.03 is not accepted; expected 0.01 or tighter, ",
        ),
        (
            promising('"net_value", "days_unpaid"', complaints=0.02),
            "guardrails.chargebacks: 'no guard-rail' is not accepted; expected margin 0.01 or tighter, ",
        ),
        (
            promising('"net_value", "days_unpaid"', chargebacks=0.01, complaints=0.02, cap_use=0.1),
            "guardrails.cap_use: 'margin 0.1' is not accepted; expected no guard-rail, ",
        ),
        (
            promising('"net_value"', chargebacks=0.01, complaints=0.02),
            "secondary_metrics: 'net_value' is not accepted; expected net_value, days_unpaid, ",
        ),
        (
            promising('"net_value", "cap_use"', chargebacks=0.01, complaints=0.02),
            "secondary_metrics: 'net_value, cap_use' is not accepted; expected net_value, days_unpaid, ",
        ),
    ],
)
def test_what_may_be_lost_and_what_else_is_claimed_stays_as_promised(after: Definition, said: str) -> None:
    (fault,) = breaking(PROMISED, after, "first.toml")
    assert fault.sentence == f"first.toml, {said}{START_ANEW}"


def test_a_tighter_margin_and_another_order_break_nothing() -> None:
    tighter = promising('"days_unpaid", "net_value"', complaints=0.02, chargebacks=0.005)
    assert changed(tighter, PROMISED) == []
    draft = replace(PROMISED, status=Status.DRAFT, history=())
    assert changed(promising('"cap_use"', chargebacks=0.9), draft) == []


def test_other_weights_are_refused_and_named() -> None:
    after = a_definition(("weight = 0.5", "weight = 0.4"), ("weight = 0.5", "weight = 0.6"))
    assert changed(running(after)) == ["variants.fixed.weight"]


def test_history_is_only_added_to() -> None:
    before = running(a_definition())
    stop = Entry(START.replace(day=20), Change.STOPPED, "someone")
    stopped = replace(before, status=Status.STOPPED, history=(*before.history, stop))
    assert changed(stopped) == []
    assert changed(before, stopped) == ["status", "history"]
