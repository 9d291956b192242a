"""Large volumes are read once in five minutes, small ones every time."""

from datetime import timedelta

from cap_builders import NOW, an_attempt
from features.instants import to_micros
from ledger_builders import MERCHANT, told
from model.caps.rulebook import Rulebook
from serving.ledger.ledger import Ledger
from serving.ledger.recent_volumes import RecentVolumes

RULES = Rulebook.load().rules
RULE = "visa-cat3-data-quality-volume"


def tell(ledger: Ledger, number: int) -> None:
    ledger.record([told(an_attempt(number + 1, "54", payment_id=f"p{number}"))], NOW)


def seen(ledger: Ledger, recent: RecentVolumes, minutes: int = 0) -> int:
    with ledger.store.reading() as transaction:
        sent = recent.of(transaction, MERCHANT, RULES, to_micros(NOW + timedelta(minutes=minutes)))
    return sent.by_rule[RULE].counted


def test_small_volumes_are_exact_every_time(ledger: Ledger) -> None:
    recent = RecentVolumes(much=100)
    for number in range(3):
        tell(ledger, number)
        assert seen(ledger, recent) == number + 1


def test_large_volumes_are_at_most_five_minutes_old_and_never_of_a_later_instant(ledger: Ledger) -> None:
    recent = RecentVolumes(much=2)
    tell(ledger, 0)
    tell(ledger, 1)
    assert seen(ledger, recent) == 2
    tell(ledger, 2)
    assert seen(ledger, recent, minutes=4) == 2
    assert seen(ledger, recent, minutes=-1) == 3
    assert seen(ledger, recent, minutes=5) == 3
