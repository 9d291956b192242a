"""A caller in a hurry, over HTTP: answered by the last rung, within every limit, with a place held for it."""

from typing import Any

from api_builders import Api, used
from metric_readers import counted, read
from serving.answer_schemas import DecisionAnswer
from serving.rendering import console, rendered

Document = dict[str, Any]  # a JSON document that tests take apart


def test_who_can_wait_for_nothing_is_answered_by_a_schedule_that_says_so(api: Api, failed: Document) -> None:
    answer = api.post("/v1/decisions", failed | {"within_ms": 1})
    assert (answer["policy"], answer["policy_source"]) == ("fixed-1-3-5-7", "schedule")
    assert [(step["policy_source"], step["why"]) for step in answer["stepped_down"]] == [
        ("model", "missing"),
        ("prior", "slow"),
    ]
    assert [reason["sentence"] for reason in answer["reasons"][:2]] == [
        "No trained model is loaded; next in line is the shipped prior.",
        (
            "The shipped prior did not answer within its part of the time for this decision; "
            "next in line is a fixed schedule."
        ),
    ]
    assert (answer["probability"], answer["expected_net_value"], answer["plan"]["attempts"]) == (None, None, [])
    assert answer["action"]["window"]["start"].startswith("2026-11-24T09:00")
    told = DecisionAnswer.model_validate_json(api.send("POST", "/v1/decisions", failed | {"within_ms": 1}).content)
    shown = console()
    with shown.capture() as printed:
        shown.print(rendered(told))
    assert "schedule, no model fixed-1-3-5-7" in printed.get()
    steps = counted(read(api), "recoup_stepped_down_total")
    assert ({"policy_source": "prior", "why": "slow"}, 2.0) in steps


def test_a_schedules_retry_has_its_place_held_like_any_other(api: Api, failed: Document) -> None:
    answer = api.reserve(failed | {"within_ms": 1})
    assert answer["policy_source"] == "schedule"
    assert answer["reservation"] is not None
    assert used(api) == 1  # the place that is held; the first attempt is no reattempt
    again = api.post("/v1/decisions", failed | {"within_ms": 1})
    assert (again["action"]["kind"], again["action"]["reason"]) == ("stop", "attempt_pending")


def test_the_same_request_gets_the_same_bytes(api: Api, failed: Document) -> None:
    asked = failed | {"as_of": "2026-11-23T10:15:00Z"}
    first, second = (api.send("POST", "/v1/decisions", asked).content for _ in range(2))
    assert first == second
    refused = api.post("/v1/decisions", asked | {"within_ms": 0}, 422)
    assert refused["errors"][0]["field"] == "within_ms"
