"""Decisions are computed again at the command line: what is the same, what differs, what cannot be, and how it ends."""

import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cap_builders import NOW, a_context, a_method, a_payment, an_attempt
from serving.keeping import keep, keep_versions
from serving.kept_content import packed, unpacked
from serving.ledger.decisions import KeptDecision
from serving.ledger.ledger import Ledger
from serving.replaying import EVER, Asked, chosen, replayed
from serving.reserving import Decided
from serving.service import prior_service
from serving.settings import Settings

Recoup = Callable[..., "Ran"]
PRIOR = prior_service()


class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


def decided(number: int, payment_id: str) -> KeptDecision:
    payment = replace(
        a_payment(payment_id), due_at=NOW - timedelta(hours=1), recover_by=NOW + timedelta(hours=3 + number)
    )
    context = a_context(
        [an_attempt(1, payment_id=payment_id)], replace(a_method(), processors=("north",)), payment=payment
    )
    return Decided.by(PRIOR, context).kept(NOW + timedelta(minutes=number))


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A ledger with eight decisions on four payments, one a minute."""
    address = f"sqlite:///{tmp_path}/ledger.db"
    with closing(Ledger.opened(address)) as ledger:
        keep_versions(ledger, PRIOR)
        for number in range(8):
            keep(ledger, decided(number, f"pay_{number % 4}"))
    return address


def add(url: str, kept: KeptDecision) -> None:
    with closing(Ledger.opened(url)) as ledger:
        keep(ledger, kept)


def test_all_of_a_time_or_a_payment_or_some_by_name(recoup: Recoup, url: str) -> None:
    name = decided(3, "pay_3").headline.decision_id
    for arguments, count in (
        (("--from", "1970-01-01"), 8),
        (("--from", (NOW + timedelta(minutes=2)).isoformat(), "--to", (NOW + timedelta(minutes=5)).isoformat()), 3),
        (("--payment", "pay_1"), 2),
        (("--merchant", "nobody"), 0),
        ((name,), 1),
        ((name[:12], name), 2),
    ):
        ran = recoup("replay", *arguments, "--database", url)
        expected = f"{count} of {count} the same\n" if count else "No decision is kept of that time.\n"
        assert (ran.code, ran.out) == (0, expected)


def test_what_is_not_the_same_is_told_and_ends_with_one(recoup: Recoup, url: str) -> None:
    kept, old = decided(20, "pay_d"), decided(21, "pay_m")
    made = unpacked(kept.content)
    answer = made.answer.replace(b'"policy":"', b'"policy":"un', 1)
    add(url, replace(kept, content=packed(made.context, made.record, answer, made.stepped_down)))
    add(url, replace(old, headline=replace(old.headline, code="0.0.1", economics="e1")))
    ran = recoup("replay", "--from", "1970-01-01", "--database", url)
    assert ran.code == 1
    assert ran.out.endswith(
        "8 of 10 the same; 1 differs; 1 could not be computed again, because something is missing or damaged\n"
    )
    assert re.search(rf'{kept.headline.decision_id} of payment pay_d: 1 field differs\n  policy: "un', ran.out)
    assert f"{old.headline.decision_id} of payment pay_m: not computed again. It was decided by Recoup 0.0.1" in ran.out
    assert "Economics e1 is not kept in the ledger." in ran.out


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_damaged_decision_ends_no_run(recoup: Recoup, url: str, processes: str) -> None:
    damaged = decided(-1, "pay_x")
    made = unpacked(damaged.content)
    add(url, replace(damaged, content=packed(made.context, made.record, b'{"broken', made.stepped_down)))
    ran = recoup("replay", "--from", "1970-01-01", "--database", url, "--processes", processes)
    name = damaged.headline.decision_id
    assert ran.out.startswith(f"{name} of payment pay_x: not computed again. Its content cannot be read: answer: ")
    assert ran.out.endswith("8 of 9 the same; 1 could not be computed again, because something is missing or damaged\n")
    assert ran.code == 1


def test_what_is_asked_for_wrongly_is_refused_in_a_sentence(recoup: Recoup, url: str) -> None:
    for arguments, sentence in (
        ((), "give either DECISION ids, or one of --from"),
        (("dec_1", "--payment", "pay_1"), "give either DECISION ids, or one of --from"),
        (("dec_00000000",), "DECISION: 'dec_00000000' is not accepted; expected the id of a decision that is kept"),
        (("dec_",), "expected the id of a decision that is kept"),
        (("--from", "yesterday"), "--from: 'yesterday' is not accepted; expected an instant such as"),
    ):
        ran = recoup("replay", *arguments, "--database", url)
        assert ran.code == 2
        assert sentence in ran.err


def test_several_processes_answer_in_the_same_order(url: str, tmp_path: Path) -> None:
    with closing(Ledger.opened(url)) as ledger:
        asked = Asked(*EVER)
        alone = list(replayed(chosen(ledger.store, asked), Settings(home=tmp_path), url, 1))
        together = list(replayed(chosen(ledger.store, asked), Settings(home=tmp_path), url, 2))
    assert len(alone) == 8
    assert together == alone
