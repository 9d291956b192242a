"""Every rule can be said in one line, with nothing left unfilled."""

import pytest

from features.vocabulary import Network
from model.caps.networks import RAILS
from model.caps.rule import CapRule
from model.caps.rulebook import Rulebook
from model.caps.wording import summary

RULES = Rulebook.load().rules
BY_ID = {rule.rule_id: rule for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.rule_id)
def test_every_rule_is_a_sentence(rule: CapRule) -> None:
    words = summary(rule)
    assert words.endswith(".")
    assert words.startswith(rule.who)
    assert not any(mark in words for mark in ("{", "}", "None", "  "))


@pytest.mark.parametrize(
    ("rule_id", "words"),
    [
        ("paddle-spacing", "Paddle allows 1 attempt on one payment in 24 hours."),
        (
            "nacha-overall-return-rate",
            "Nacha opens an inquiry when an originator's returns of any kind make up too much, from 15 % on.",
        ),
        (
            "india-afa-threshold",
            "The Reserve Bank of India asks for the payer's own authentication of each debit above 15,000.00 INR.",
        ),
        ("sepa-core-submission", "SEPA takes a collection no later than 2 banking days before its due date."),
    ],
)
def test_some_rules_in_full(rule_id: str, words: str) -> None:
    assert summary(BY_ID[rule_id]) == words


def test_every_network_has_its_rails() -> None:
    assert set(RAILS) == set(Network)
    for rule in RULES:
        for network in rule.networks:
            assert not rule.rails or set(RAILS[network]) & set(rule.rails), (rule.rule_id, network)
