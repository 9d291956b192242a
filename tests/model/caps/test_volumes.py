"""Volumes are what one merchant sent in the rule's window, counted from events."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cap_builders import NOW, a_method, an_attempt
from features.instants import to_micros
from features.vocabulary import Network, Outcome, Rail
from model.caps.rulebook import Rulebook
from model.caps.tally import Event, event_of
from model.caps.volumes import Volume
from volume_builders import volumes_of

RULES = Rulebook.load().rules
ACH = a_method(Network.ACH, rail=Rail.BANK_DEBIT, country="US")
VISA = a_method()
PAID = Outcome.APPROVED


def event(days: float, code: str | None, network: Network = Network.ACH) -> tuple[Network, Event]:
    method = ACH if network is Network.ACH else VISA
    outcome = PAID if code is None else Outcome.DECLINED
    return network, event_of(an_attempt(days * 24, code, method=method, outcome=outcome), method, "acme")


@given(st.lists(st.tuples(st.floats(0, 70), st.sampled_from(["R01", "R03", "R10", None])), max_size=40))
def test_return_rates_are_of_the_calendar_month_in_new_york(made: list[tuple[float, str | None]]) -> None:
    found = volumes_of(RULES, [event(days, code) for days, code in made], to_micros(NOW)).by_rule
    begins = datetime(2026, 11, 1, 4, tzinfo=UTC)  # midnight in New York, still summer time
    this_month = [code for days, code in made if NOW - timedelta(hours=days * 24) >= begins]
    for rule, codes in (
        ("nacha-unauthorized-return-rate", {"R10"}),
        ("nacha-administrative-return-rate", {"R03"}),
        ("nacha-overall-return-rate", {"R01", "R03", "R10"}),
    ):
        resets = to_micros(datetime(2026, 12, 1, 5, tzinfo=UTC))
        assert found.get(rule, Volume(0, 0, resets)) == Volume(
            sum(code in codes for code in this_month), len(this_month), resets
        )


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["51", "54", "N7", None])), max_size=40))
def test_wrong_data_is_counted_over_the_thirty_days_that_end_now(made: list[tuple[int, str | None]]) -> None:
    events = [event(days, code, Network.VISA) for days, code in made]
    found = volumes_of(RULES, events, to_micros(NOW)).by_rule.get("visa-cat3-data-quality-volume", Volume(0, 0))
    recent = [code for days, code in made if days < 30]
    assert (found.counted, found.of) == (sum(code in {"54", "N7"} for code in recent), len(recent))
    assert found.resets_at is None


def test_what_comes_later_and_what_another_network_carried_is_left_out() -> None:
    events = [event(-1, "R01"), event(1, "51", Network.VISA), event(1, "R01")]
    found = volumes_of(RULES, events, to_micros(NOW)).by_rule["nacha-overall-return-rate"]
    assert (found.counted, found.of) == (1, 1)


def test_nothing_sent_exceeds_nothing() -> None:
    rate = next(rule for rule in RULES if rule.rule_id == "nacha-overall-return-rate")
    assert not Volume(0, 0).exceeds(rate)
