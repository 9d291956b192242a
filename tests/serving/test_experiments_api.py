"""A running experiment answers through the service, with the policy of a variant and an exposure written with it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api_builders import MERCHANT, START, Api, Clock, Document, of_payment, past, report
from experiment_builders import TEXT, text_with
from experiments.assignment import bucket
from features.errors import InputError
from model.step_down import Distrust
from serving.app import create_app
from serving.ledger.exposures import exposures
from serving.ledger.ledger import Ledger
from serving.ledger_access import open_ledger
from serving.live_experiments import load_experiments
from serving.replaying import EVER, Asked, chosen, replayed
from serving.service import Service
from serving.settings import Settings
from serving.trust.breaker import Breaker

STARTED = """
[[history]]
at = 2026-11-01T00:00:00Z
what = "started"
by = "Ann"
coverage = 1.0
"""
RUNNING = text_with(("draft", "running")) + STARTED
FIXED, PLAN = "cus_3", "cus_1"  # by the salt of the definition


@dataclass(frozen=True)
class Trial:
    """The service with one experiment, and its ledger."""

    api: Api
    ledger: Ledger
    folder: Path

    def asked(self, document: Document, customer: str, *, reserve: bool = False) -> Document:
        body = of_payment(document, f"inv_{customer}")
        body["payment"]["customer_id"] = customer
        return self.api.post("/v1/decisions", body | ({"reserve": True} if reserve else {}))

    def exposed(self) -> dict[str, str]:
        found = exposures(self.ledger.store, "first")
        return {one.customer_id: one.assignment.variant for one in found}

    def counts(self) -> dict[str, int]:
        shown = self.api.get("/v1/experiments/first?merchant_id=acme")
        return {variant["name"]: variant["payments"] for variant in shown["variants"]}


class Resting(Breaker):
    """Of a policy that is left alone."""

    def refuses(self, now: float) -> Distrust | None:
        return Distrust.FAILING


def trial_of(settings: Settings, service: Service, folder: Path, ledger: Ledger) -> Trial:
    given = replace(settings, experiments=folder)
    found = load_experiments(given, service.answering.scorer, service.rulebook, service.economics)
    clock = Clock()
    app = create_app(given, service=replace(service, experiments=found), ledger=ledger, clock=clock)
    return Trial(Api(app, clock), ledger, folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "definitions"
    path.mkdir()
    (path / "first.toml").write_text(RUNNING)
    return path


@pytest.fixture
def trial(settings: Settings, service: Service, folder: Path) -> Iterator[Trial]:
    with closing(open_ledger(settings, service.rulebook)) as ledger:
        yield trial_of(settings, service, folder, ledger)


def test_the_customers_are_of_different_variants() -> None:
    assert bucket("first-salt", "acme", FIXED) < 5000 <= bucket("first-salt", "acme", PLAN)


@pytest.mark.parametrize("reserve", [False, True])
def test_each_variant_answers_with_its_own_policy_and_is_named(trial: Trial, failed: Document, reserve: bool) -> None:
    fixed, plan = trial.asked(failed, FIXED, reserve=reserve), trial.asked(failed, PLAN, reserve=reserve)
    assert fixed["experiment"] == {"key": "first", "variant": "fixed", "propensity": 0.5, "tester": False}
    assert (fixed["policy"], plan["policy"]) == ("fixed-1-3-5-7", "plan")
    assert plan["experiment"]["variant"] == "plan"
    assert fixed["action"]["window"]["start"] == "2026-11-24T09:00:00Z"
    days = [attempt["window"]["start"][8:10] for attempt in fixed["plan"]["attempts"]]
    assert days == ["24", "26", "28", "30"]
    assert trial.exposed() == {FIXED: "fixed", PLAN: "plan"}
    assert trial.counts() == {"fixed": 1, "plan": 1}


def test_what_the_limits_leave_at_the_exposure_is_the_same_whoever_answers(trial: Trial, failed: Document) -> None:
    for customer in (FIXED, PLAN):
        trial.asked(failed, customer)
    # Visa allows fifteen retries in thirty days, and none was made yet.
    assert [one.attempts_allowed for one in exposures(trial.ledger.store, "first")] == [15, 15]
    trial.asked(failed, "cus_9", reserve=True)  # with the same card
    trial.asked(failed, "cus_10", reserve=True)
    (last,) = (one for one in exposures(trial.ledger.store, "first") if one.customer_id == "cus_10")
    assert (last.attempts_allowed or 15) < 15


def test_asked_again_a_payment_is_exposed_once_and_a_question_about_another_time_exposes_nobody(
    trial: Trial, failed: Document
) -> None:
    trial.asked(failed | {"as_of": START.isoformat()}, PLAN)
    assert trial.exposed() == {}
    for _ in range(2):
        trial.asked(failed, PLAN)
    assert trial.counts() == {"fixed": 0, "plan": 1}


def test_who_was_answered_by_a_variant_stays_in_it_whatever_becomes_of_the_definition(
    trial: Trial, settings: Settings, service: Service, failed: Document
) -> None:
    assert trial.asked(failed, FIXED)["policy"] == "fixed-1-3-5-7"
    (trial.folder / "first.toml").write_text(RUNNING.replace("first-salt", "moved-salt"))
    moved = trial_of(settings, service, trial.folder, trial.ledger)
    after = [moved.asked(failed, f"cus_{number}")["experiment"]["variant"] for number in range(12)]
    assert after[3] == "fixed"
    before = ["fixed" if bucket("first-salt", "acme", f"cus_{number}") < 5000 else "plan" for number in range(12)]
    assert after != before


def test_a_held_place_and_its_exposure_are_written_together_or_not_at_all(trial: Trial, failed: Document) -> None:
    with trial.ledger.store.writing() as transaction:
        refuse = "BEGIN\n    SELECT RAISE(ABORT, 'no more');\nEND;\n"
        transaction.script(f"CREATE TRIGGER nobody_else BEFORE INSERT ON exposure\n{refuse}")
    body = of_payment(failed, "inv_x") | {"reserve": True}
    assert trial.api.send("POST", "/v1/decisions", body).status_code >= 400
    held = trial.api.get("/v1/reservations?merchant_id=acme")["reservations"]
    assert held == []


@pytest.mark.parametrize("reserve", [False, True])
def test_a_variants_decision_is_computed_again_to_the_byte_and_as_missing_once_it_answers_no_more(
    trial: Trial, settings: Settings, service: Service, failed: Document, reserve: bool
) -> None:
    made = [trial.asked(failed, customer, reserve=reserve)["decision_id"] for customer in (FIXED, PLAN)]

    def again(api: Api) -> list[str]:
        path = "/v1/decisions/{}/replay?merchant_id=acme"
        return [api.post(path.format(decision_id), None)["outcome"] for decision_id in made]

    assert again(trial.api) == ["same", "same"]
    alone = Api(create_app(settings, service=service, ledger=trial.ledger, clock=trial.api.clock), trial.api.clock)
    assert again(alone) == ["missing", "missing"]


def test_the_command_line_computes_a_variants_decisions_again_by_the_definitions_of_its_settings(
    trial: Trial, settings: Settings, failed: Document
) -> None:
    for customer in (FIXED, PLAN):
        trial.asked(failed, customer)

    def again(settings: Settings) -> list[str]:
        found = chosen(trial.ledger.store, Asked(*EVER))
        return [one.outcome for one in replayed(found, settings, trial.ledger.store.url, 1)]

    assert again(replace(settings, experiments=trial.folder)) == ["same", "same"]
    assert again(settings) == ["missing", "missing"]


@pytest.mark.parametrize("hold_out", [False, True])
def test_what_the_last_resort_answered_for_a_variant_is_computed_again_too(
    settings: Settings, service: Service, folder: Path, failed: Document, hold_out: bool
) -> None:
    if hold_out:
        (folder / "first.toml").write_text(
            RUNNING.replace("coverage = 1.0\ncontrol", "coverage = 1.0\nhold_out = 0.5\ncontrol")
        )
    with closing(open_ledger(settings, service.rulebook)) as ledger:
        trial = trial_of(settings, replace(service, prior=Resting()), folder, ledger)
        answers = [trial.asked(failed, customer) for customer in (FIXED, PLAN)]
        assert {one["policy_source"] for one in answers} == {"schedule"}
        assert answers[0]["experiment"]["variant"] == ("hold-out" if hold_out else "fixed")
        path = "/v1/decisions/{}/replay?merchant_id=acme"
        again = [trial.api.post(path.format(one["decision_id"]), None)["outcome"] for one in answers]
        assert again == ["same", "same"]


def test_a_payment_that_was_exposed_is_answered_again_without_another_write(trial: Trial, failed: Document) -> None:
    first = trial.asked(failed, PLAN)
    with trial.ledger.store.writing() as transaction:
        refuse = "BEGIN\n    SELECT RAISE(ABORT, 'no more');\nEND;\n"
        transaction.script(f"CREATE TRIGGER nobody_else BEFORE INSERT ON exposure\n{refuse}")
    assert trial.asked(failed, PLAN) == first
    assert trial.asked(failed, PLAN, reserve=True)["reservation"]["state"] == "held"


def test_a_payment_that_failed_before_the_start_takes_no_part_even_if_only_the_ledger_knows(
    trial: Trial, failed: Document
) -> None:
    early = datetime(2026, 10, 20, tzinfo=UTC)
    trial.api.post("/v1/attempts", report("e1", "att_old", early, payment=f"inv_{FIXED}", outcome="declined"))
    answer = trial.asked(failed, FIXED)
    assert (answer["policy"], answer["experiment"]) == ("plan", None)
    assert trial.exposed() == {}


@pytest.mark.parametrize("reserve", [False, True])
def test_the_hold_out_is_told_to_stop_and_is_exposed(
    settings: Settings, service: Service, folder: Path, failed: Document, reserve: bool
) -> None:
    (folder / "first.toml").write_text(
        RUNNING.replace("coverage = 1.0\ncontrol", "coverage = 1.0\nhold_out = 0.5\ncontrol")
    )
    with closing(open_ledger(settings, service.rulebook)) as ledger:
        trial = trial_of(settings, service, folder, ledger)
        answer = trial.asked(failed, FIXED, reserve=reserve)
        assert answer["action"] == {"kind": "stop", "reason": "no_retry", "propensity": 1.0}
        assert answer["payer_could"] == []
        assert trial.exposed() == {FIXED: "hold-out"}


def test_a_variants_tighter_limit_holds_for_it_and_for_nobody_else(
    settings: Settings, service: Service, folder: Path, failed: Document
) -> None:
    tight = 'policy = { kind = "plan" }\ntighten = { visa-cat2-reattempt-cap = { limit = 2 } }'
    (folder / "first.toml").write_text(RUNNING.replace('policy = { kind = "plan" }', tight))
    with closing(open_ledger(settings, service.rulebook)) as ledger:
        trial = trial_of(settings, service, folder, ledger)
        trial.api.post("/v1/attempts", past(4))
        within = failed | {"payment": failed["payment"] | {"recover_by": (START + timedelta(days=3)).isoformat()}}
        limited, free = trial.asked(within, PLAN), trial.asked(within, FIXED)
        assert limited["action"]["reason"] == "no_allowed_action"
        assert free["action"]["kind"] == "retry"


def test_without_a_ledger_nobody_is_exposed_and_the_plan_answers(
    settings: Settings, service: Service, folder: Path, failed: Document
) -> None:
    given = replace(settings, experiments=folder)
    found = load_experiments(given, service.answering.scorer, service.rulebook, service.economics)
    alone = Api(create_app(given, service=replace(service, experiments=found), clock=Clock()), Clock())
    answer = alone.post("/v1/decisions", failed)
    assert (answer["policy"], answer["experiment"]) == ("plan", None)
    assert len(alone.get("/v1/experiments?merchant_id=acme")["experiments"]) == 1


def test_experiments_are_shown_to_the_merchants_they_may_be_about(trial: Trial) -> None:
    (shown,) = trial.api.get("/v1/experiments?merchant_id=acme")["experiments"]
    assert (shown["status"], shown["history"][0]["by"], shown["testers"]) == ("running", "Ann", 0)
    assert [variant["policy"] for variant in shown["variants"]] == ["fixed_days", "plan"]
    problem = trial.api.get("/v1/experiments/second?merchant_id=acme", 404)
    assert problem["detail"] == "key: 'second' is not accepted; expected the key of an experiment: first"
    assert MERCHANT == {"merchant_id": "acme"}


def test_a_variant_that_cannot_answer_live_is_refused_at_start_and_every_fault_is_named(
    settings: Settings, service: Service, folder: Path
) -> None:
    (folder / "first.toml").write_text(RUNNING.replace('{ kind = "plan" }', '{ kind = "oracle" }'))
    (folder / "second.toml").write_text(TEXT.replace("owner", "ownr"))
    with pytest.raises(InputError) as refused:
        load_experiments(
            replace(settings, experiments=folder), service.answering.scorer, service.rulebook, service.economics
        )
    said = str(refused.value)
    assert "variants.plan.policy.kind: 'oracle' is not accepted; expected a kind that can answer live" in said
    assert "ownr: 'payments' is not accepted" in said
    assert "second.toml, key: 'first' is not accepted" in said


def test_new_weights_are_for_new_customers_and_the_propensity_is_that_of_the_time(
    trial: Trial, settings: Settings, service: Service, failed: Document
) -> None:
    trial.asked(failed, FIXED)
    bandit = 'salt = "first-salt"\nbandit = { floor = 0.1, every_days = 7 }'
    weights = 'what = "reweighted"\nby = "Ann"\nweights = { fixed = 0.1, plan = 0.9 }\n'
    step = f"[[history]]\nat = 2026-11-20T00:00:00Z\n{weights}"
    (trial.folder / "first.toml").write_text(RUNNING.replace('salt = "first-salt"', bandit) + step)
    later = trial_of(settings, service, trial.folder, trial.ledger)
    another = of_payment(failed, "inv_another")
    another["payment"]["customer_id"] = FIXED
    kept = later.api.post("/v1/decisions", another)
    assert kept["experiment"] == {"key": "first", "variant": "fixed", "propensity": 0.5, "tester": False}
    new = next(
        name for name in map("cus_new_{}".format, range(99)) if 1000 <= bucket("first-salt", "acme", name) < 5000
    )
    assert later.asked(failed, new)["experiment"] == {
        "key": "first",
        "variant": "plan",
        "propensity": 0.9,
        "tester": False,
    }
    written = {one.payment_id: one for one in exposures(later.ledger.store, "first")}
    assert written["inv_another"].divided_since == datetime(2026, 11, 1, tzinfo=UTC)
    assert written[f"inv_{new}"].divided_since == datetime(2026, 11, 20, tzinfo=UTC)
    (_, entry) = later.api.get("/v1/experiments/first?merchant_id=acme")["history"]
    assert (entry["what"], entry["weights"]) == ("reweighted", {"fixed": 0.1, "plan": 0.9})
