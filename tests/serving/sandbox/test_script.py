"""What processors answer: the first rule that fits, its answers in the order of a payment's attempts."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from features.vocabulary import Outcome
from serving.sandbox.script import APPROVED, Rule, ToldAnswer, Tried, answer_to

AT = datetime(2026, 12, 1, tzinfo=UTC)
NAMES = st.sampled_from(["a", "b"])
ANSWERS = st.lists(st.sampled_from(["05", "51", "91"]).map(lambda code: ToldAnswer(Outcome.DECLINED, code)), min_size=1)
INSTANTS = st.integers(-2, 2).map(lambda days: AT + timedelta(days=days))
RULES = st.builds(
    Rule,
    ANSWERS.map(tuple),
    st.none() | NAMES,
    st.none() | NAMES,
    st.none() | NAMES,
    st.none() | INSTANTS,
    st.none() | INSTANTS,
)
TRIED = st.builds(Tried, NAMES, NAMES, NAMES, INSTANTS, st.integers(0, 5))


@given(rules=st.lists(RULES, max_size=4), tried=TRIED)
def test_the_answer_is_that_of_a_plain_reading_of_the_rules(rules: list[Rule], tried: Tried) -> None:
    expected = APPROVED
    for rule in reversed(rules):
        fits = (
            rule.payment_id in {None, tried.payment_id}
            and rule.method_id in {None, tried.method_id}
            and rule.processor in {None, tried.processor}
            and not (rule.not_before and tried.at < rule.not_before)
            and not (rule.before and tried.at >= rule.before)
        )
        if fits:
            repeated = [*rule.answers, *[rule.answers[-1]] * 6]
            expected = repeated[tried.earlier]
    assert answer_to(rules, tried) == expected
