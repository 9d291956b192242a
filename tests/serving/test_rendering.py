"""An answer is printed so that a person sees what to do, when, why and under which limits."""

import io
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from rich.console import Console, RenderableType

from model.policies import FIXED_1_3_5_7
from serving.answer_schemas import DecisionAnswer, MoneyOut, Window
from serving.answers import answer_of
from serving.contexts import context_of
from serving.demo.schedule import steps
from serving.demo.telling import told
from serving.examples import EXAMPLES, Example
from serving.rendering import money_words, rendered, window_words
from serving.requests import parse_request
from serving.service import prior_service

Document = dict[str, Any]  # a JSON document that tests take apart


def answer(example: Example) -> DecisionAnswer:
    context = context_of(parse_request(example.body), datetime(2026, 11, 23, tzinfo=UTC))
    return answer_of(prior_service().decide(context), context)


def printed(what: RenderableType) -> str:
    out = io.StringIO()
    Console(width=160, file=out).print(what)
    return out.getvalue()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_everything_that_matters_is_on_the_page(example: Example) -> None:
    given = answer(example)
    text = " ".join(printed(rendered(given)).split())
    assert given.action.kind == "retry"
    assert window_words(given.action.window) in text
    assert given.action.method_id in text
    for reason in given.reasons:
        assert reason.sentence[:60] in text
    assert given.versions.model in text


def test_a_stop_says_why_and_what_the_payer_could_do(document: Document) -> None:
    document["attempts"][0]["code"] = "43"
    del document["methods"][1]
    context = context_of(parse_request(orjson.dumps(document)), datetime(2026, 11, 23, tzinfo=UTC))
    text = printed(rendered(answer_of(prior_service().decide(context), context)))
    assert "Make no further attempt: no allowed action" in text
    assert "What the payer could do" in text


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_the_demo_sets_the_schedule_beside_the_decision(example: Example) -> None:
    context = context_of(parse_request(example.body), datetime(2026, 11, 23, tzinfo=UTC))
    text = printed(told(1, example, answer(example), steps(FIXED_1_3_5_7, context, prior_service())))
    assert example.title in text
    assert "Recoup" in text
    assert "A fixed 1-3-5-7 schedule" in text


def window(start: str, end: str) -> Window:
    opens, closes = datetime.fromisoformat(start), datetime.fromisoformat(end)
    return Window(start=opens, end=closes, start_local=opens, end_local=closes, time_zone="Europe/Berlin")


def test_a_window_is_told_on_the_issuers_clock() -> None:
    assert window_words(window("2026-11-30T05:00+00:00", "2026-11-30T06:00+00:00")) == (
        "Mon 30 Nov 2026, 06:00 to 07:00 (Europe/Berlin)"
    )
    over_midnight = window_words(window("2026-11-30T22:00+00:00", "2026-11-30T23:30+00:00"))
    assert over_midnight == "Mon 30 Nov 2026, 23:00 to Tue 1 Dec 2026 00:30 (Europe/Berlin)"
    by_day = window_words(window("2026-11-30T11:00+00:00", "2026-11-30T12:00+00:00"), by_day=True)
    assert by_day == "Mon 30 Nov 2026 (Europe/Berlin)"


def test_money_is_told_in_major_units_of_its_currency() -> None:
    assert money_words(MoneyOut(amount_minor=-1250, currency="EUR")) == "-12.50 EUR"
    assert money_words(MoneyOut(amount_minor=500, currency="JPY")) == "500 JPY"
