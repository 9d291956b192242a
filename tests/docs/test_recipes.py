"""Every recipe recovers an invoice of its biller through the real service, and charges nothing twice."""

import base64
import hashlib
import hmac
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType, SimpleNamespace

import httpx
import kill_bill
import lago
import polar
import pytest
import recovering
import stripe_billing
from iso4217 import Currency
from recovering import Biller, NotAllCarriedOutError, advise, carry_out_due, run, sweep

from api_builders import START, Api, Clock
from client_builders import Faulty, InProcess, Mishap
from fake_billers import FakeBiller, FakeKillBill, FakeLago, FakePolar, FakeStripe
from features.sources import stripe
from serving.app import create_app
from serving.client import Recoup
from serving.client.errors import SignatureError
from serving.client.retrying import NO_RETRIES
from serving.client.shapes import (
    Network,
    Outcome,
    ReservationOut,
    ReservedDecisionAnswer,
    SettledAttempt,
    StopAction,
    StopRequest,
)
from serving.events_out.signing import signed_headers
from serving.ledger.ledger import Ledger
from serving.ledger_access import open_ledger
from serving.service import Service, prior_service
from serving.settings import Settings
from webhook_builders import KEYS, NOW, SECRETS, Hooks, webhook_settings
from webhook_builders import payload as webhook_payload

PAYLOADS = Path(__file__).parent / "payloads"
PAGES = Path(__file__).parents[2] / "docs" / "recipes"
MOST_HOURS = 24 * 61


@dataclass
class Scene:
    """The service, a biller behind its recipe, and one clock for both."""

    api: Api
    clock: Clock
    recoup: Recoup
    fake: FakeBiller
    biller: Biller
    network: Faulty
    ledger: Ledger

    def attempts(self) -> list[str]:
        entries = self.api.get(f"/v1/payments/{self.fake.invoice}?merchant_id=acme&limit=200")["entries"]
        return [one["word"] for one in entries if one["entry"] == "attempt"]

    def hear(self) -> None:
        """Lago tells what became of attempts; the others are asked."""
        if isinstance(self.fake, FakeLago) and isinstance(self.biller, lago.Lago):
            for number in range(len(self.fake.charges)):
                event, key = self.fake.event(number)
                invoice = self.biller.told(event, key, self.clock.now)
                if invoice is not None and number == len(self.fake.charges) - 1:
                    advise(self.recoup, self.biller, invoice)

    def begin(self) -> None:
        self.hear()
        advise(self.recoup, self.biller, self.fake.invoice)

    def run(self, hours: int = MOST_HOURS) -> None:
        """A job that runs every quarter of an hour, as long as something is held."""
        for _ in range(hours):
            held = list(self.recoup.all_reservations(merchant_id="acme"))
            if not held:
                return
            self.clock.now = max(self.clock.now, held[0].fire_from)
            if carry_out_due(self.recoup, self.biller, self.clock.now):
                self.hear()
            elif self.clock.now >= held[0].fire_from:
                return

    def begun(self) -> ReservationOut:
        """What is held for the invoice's next attempt."""
        self.begin()
        (held,) = self.recoup.all_reservations(merchant_id="acme")
        return held

    def at(self, instant: datetime) -> None:
        """The service ends the holds whose time is over, every minute."""
        self.clock.now = instant
        self.ledger.expire(instant)

    def jobs(self) -> None:
        """Both jobs of the crontab, now."""
        carry_out_due(self.recoup, self.biller, self.clock.now)
        self.hear()
        sweep(self.recoup, self.biller, self.clock.now)

    def charged_again_within(self, days: int) -> bool:
        """Whether the jobs, every hour and where a window begins, come to another attempt."""
        before, end = len(self.fake.charges), self.clock.now + timedelta(days=days)
        while len(self.fake.charges) == before and self.clock.now < end:
            held = list(self.recoup.all_reservations(merchant_id="acme"))
            hour = self.clock.now + timedelta(hours=1)
            self.at(max(held[0].fire_from, self.clock.now + timedelta(minutes=5)) if held else hour)
            self.jobs()
        return len(self.fake.charges) > before

    def decisions(self) -> int:
        return len(list(self.recoup.all_decisions(payment_id=self.fake.invoice, merchant_id="acme")))

    def use_up_the_card(self, at: datetime) -> None:
        """As many attempts on the card as its network allows in thirty days."""
        for number in range(15):
            attempt = {
                "payment_id": "elsewhere",
                "customer_id": "cus_1",
                "processor": "stripe",
                "method": {"method_id": "pm_1", "rail": "card", "network": "visa", "issuer_country": "DE"},
                "amount_minor": 2_799,
                "currency": "EUR",
                "attempted_at": (at + timedelta(minutes=number)).isoformat(),
                "outcome": "declined",
                "code": "insufficient_funds",
            }
            report = {"merchant_id": "acme", "event_id": f"evt_{number}", "attempt_id": f"ch_elsewhere_{number}"}
            self.api.post("/v1/attempts", report | {"attempt": attempt})


Make = Callable[[Clock, Recoup], tuple[FakeBiller, Biller]]


def with_stripe(clock: Clock, _: Recoup) -> tuple[FakeBiller, Biller]:
    fake = FakeStripe(clock)
    return fake, stripe_billing.StripeBilling("acme", "sk_test", transport=fake.transport)


def with_kill_bill(clock: Clock, _: Recoup) -> tuple[FakeBiller, Biller]:
    fake = FakeKillBill(clock)
    url, transport = "http://127.0.0.1:8081", fake.transport
    return fake, kill_bill.KillBill("acme", url, "admin:password", "bob:lazar", processor="stripe", transport=transport)


def with_lago(clock: Clock, recoup: Recoup) -> tuple[FakeBiller, Biller]:
    fake = FakeLago(clock)
    return fake, lago.Lago("acme", "lago", recoup, network=Network.VISA, transport=fake.transport)


def with_polar(clock: Clock, _: Recoup) -> tuple[FakeBiller, Biller]:
    fake = FakePolar(clock)
    return fake, polar.Polar("acme", "polar_oat_1", transport=fake.transport)


BILLERS = {"stripe-billing": with_stripe, "kill-bill": with_kill_bill, "lago": with_lago, "polar": with_polar}


@pytest.fixture(scope="module")
def prior() -> Service:
    return prior_service()


@contextmanager
def a_scene(make: Make, prior: Service, folder: Path) -> Iterator[Scene]:
    clock = Clock(START.replace(minute=0))
    settings = Settings(home=folder, database=f"sqlite:///{folder}/ledger.db?synchronous=normal", log_format="json")
    with closing(open_ledger(settings, prior.rulebook)) as ledger:
        app = create_app(settings, service=prior, ledger=ledger, clock=clock)
        network = Faulty(InProcess(app), [])
        with Recoup("http://127.0.0.1:8080", transport=network, retries=NO_RETRIES) as recoup:
            fake, biller = make(clock, recoup)
            clock.now += timedelta(minutes=5)
            yield Scene(Api(app, clock), clock, recoup, fake, biller, network, ledger)
            assert fake.unexpected == []


@pytest.mark.parametrize("name", BILLERS)
def test_an_invoice_is_recovered_at_the_advised_times_and_every_attempt_counts_once(
    name: str, prior: Service, tmp_path: Path
) -> None:
    with a_scene(BILLERS[name], prior, tmp_path) as scene:
        scene.begin()
        scene.run()
        assert scene.fake.paid
        assert [one.approved for one in scene.fake.charges] == [False, False, False, True]
        assert scene.attempts() == ["declined"] * 3 + ["approved"]
        assert advise(scene.recoup, scene.biller, scene.fake.invoice) is None
        assert list(scene.recoup.all_reservations(merchant_id="acme")) == []


@pytest.mark.parametrize("name", BILLERS)
@pytest.mark.parametrize("lost", ["report", "answer"])
def test_a_charge_whose_report_was_lost_is_found_and_not_made_again(
    name: str, lost: str, prior: Service, tmp_path: Path
) -> None:
    with a_scene(BILLERS[name], prior, tmp_path) as scene:
        scene.begin()
        (held,) = scene.recoup.all_reservations(merchant_id="acme")
        scene.clock.now = held.fire_from
        # The list of what is held and the check arrive; what follows the charge does not.
        mishap = Mishap.LOST if lost == "report" else Mishap.ANSWER_LOST
        scene.network.mishaps = [Mishap.NONE, Mishap.NONE, mishap]
        with pytest.raises(NotAllCarriedOutError, match="NotReachedError"):
            carry_out_due(scene.recoup, scene.biller, scene.clock.now)
        scene.clock.now += timedelta(minutes=1)
        carry_out_due(scene.recoup, scene.biller, scene.clock.now)
        scene.hear()
        assert len(scene.fake.charges) <= 2
        assert scene.attempts().count("declined") == len(scene.fake.charges)


AT_ONCE = [name for name in BILLERS if name != "lago"]
"""Those that say at once what came of a charge; Lago's attempts are told before they are made, and stay pending."""


@pytest.mark.parametrize("name", BILLERS)
@pytest.mark.parametrize("minutes", [1, 3 * 60, 26 * 60])
def test_a_recovery_goes_on_after_an_emergency_stop(name: str, minutes: int, prior: Service, tmp_path: Path) -> None:
    with a_scene(BILLERS[name], prior, tmp_path) as scene:
        scene.at(scene.begun().fire_from)
        scene.recoup.stop(StopRequest(merchant_id="acme", reason="INC-7"))
        assert carry_out_due(scene.recoup, scene.biller, scene.clock.now) == []
        for _ in range(minutes // 60):
            scene.at(scene.clock.now + timedelta(hours=1))
            scene.jobs()
        scene.at(scene.clock.now + timedelta(minutes=1))
        assert len(scene.fake.charges) == 1
        scene.recoup.resume(StopRequest(merchant_id="acme", reason="INC-7 is over"))
        if minutes == 1:
            scene.jobs()
            assert len(scene.fake.charges) == 2
        else:
            assert scene.charged_again_within(days=8)


@pytest.mark.parametrize("name", BILLERS)
def test_a_recovery_goes_on_after_a_window_in_which_nothing_ran(name: str, prior: Service, tmp_path: Path) -> None:
    with a_scene(BILLERS[name], prior, tmp_path) as scene:
        scene.at(scene.begun().fire_by + timedelta(minutes=1))
        assert scene.charged_again_within(days=8)


@pytest.mark.parametrize("name", AT_ONCE)
@pytest.mark.parametrize("outcome", ["declined", "approved"])
@pytest.mark.parametrize("minutes", [5, 70, 26 * 60])
def test_a_charge_after_which_the_program_died_is_settled_with_after_the_window_too(
    name: str, outcome: str, minutes: int, prior: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_scene(BILLERS[name], prior, tmp_path) as scene:
        scene.fake.declines = 0 if outcome == "approved" else 9
        held = scene.begun()
        charge = scene.biller.charge

        def dying(held: ReservationOut) -> None:
            charge(held)
            raise KeyboardInterrupt

        scene.at(held.fire_by - timedelta(minutes=3))
        with monkeypatch.context() as patched:
            patched.setattr(scene.biller, "charge", dying)
            with pytest.raises(KeyboardInterrupt):
                carry_out_due(scene.recoup, scene.biller, scene.clock.now)
        scene.at(held.fire_by + timedelta(minutes=minutes))
        carry_out_due(scene.recoup, scene.biller, scene.clock.now)
        sweep(scene.recoup, scene.biller, scene.clock.now)
        assert scene.attempts() == ["declined", outcome]
        spent = scene.recoup.all_payment(scene.fake.invoice, merchant_id="acme")
        assert [one.other_id for one in spent if one.entry == "attempt"] == [None, held.reservation_id]


@pytest.mark.parametrize("name", AT_ONCE)
def test_a_recovery_goes_on_after_a_time_out_in_the_last_run_of_the_window(
    name: str, prior: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody_answers(_: object) -> None:
        raise httpx.ReadTimeout("nothing came")

    with a_scene(BILLERS[name], prior, tmp_path) as scene:
        held = scene.begun()
        scene.at(held.fire_by - timedelta(minutes=3))
        with monkeypatch.context() as patched:
            patched.setattr(scene.biller, "charge", nobody_answers)
            with pytest.raises(NotAllCarriedOutError, match="ReadTimeout"):
                carry_out_due(scene.recoup, scene.biller, scene.clock.now)
        scene.at(held.fire_by + timedelta(minutes=5))
        assert carry_out_due(scene.recoup, scene.biller, scene.clock.now) == []
        assert sweep(scene.recoup, scene.biller, scene.clock.now) == []  # what was asked for may still turn up
        assert scene.charged_again_within(days=8)


def test_after_a_refusal_it_is_asked_again_a_day_later_and_not_before(
    prior: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(_: object) -> None:
        raise refused_with(400)

    with a_scene(with_stripe, prior, tmp_path) as scene:
        held = scene.begun()
        scene.at(held.fire_from)
        with monkeypatch.context() as patched:
            patched.setattr(scene.biller, "charge", refusing)
            with pytest.raises(NotAllCarriedOutError, match="400"):
                carry_out_due(scene.recoup, scene.biller, scene.clock.now)
        scene.at(held.fire_from + timedelta(hours=23))
        assert sweep(scene.recoup, scene.biller, scene.clock.now) == []
        scene.at(held.fire_from + timedelta(hours=24))
        assert [one.payment_id for one in sweep(scene.recoup, scene.biller, scene.clock.now)] == [scene.fake.invoice]


def test_what_may_not_be_charged_any_more_is_asked_about_again(prior: Service, tmp_path: Path) -> None:
    with a_scene(with_stripe, prior, tmp_path) as scene:
        scene.at(scene.begun().fire_from)
        scene.use_up_the_card(scene.clock.now - timedelta(hours=1))
        assert carry_out_due(scene.recoup, scene.biller, scene.clock.now) == []
        assert (len(scene.fake.charges), scene.decisions()) == (1, 2)


def test_a_stop_is_asked_about_again_when_its_answer_says_so_and_not_before(prior: Service, tmp_path: Path) -> None:
    with a_scene(with_stripe, prior, tmp_path) as scene:
        request = scene.biller.owed(scene.fake.invoice)
        assert request is not None
        made = request.attempts or ()
        pending = replace(made[0], attempt_id="ch_pending", attempted_at=scene.clock.now, outcome=Outcome.UNKNOWN)
        stopped = scene.recoup.decide(replace(request, attempts=(*made, pending), reserve=True))
        assert isinstance(stopped.action, StopAction)
        scene.at(stopped.valid_until - timedelta(minutes=1))
        assert sweep(scene.recoup, scene.biller, scene.clock.now) == []
        assert scene.decisions() == 1
        scene.at(stopped.valid_until)
        sweep(scene.recoup, scene.biller, scene.clock.now)
        assert scene.decisions() == 2


@pytest.mark.parametrize("name", BILLERS)
def test_what_is_paid_or_was_never_advised_on_is_not_asked_about(name: str, prior: Service, tmp_path: Path) -> None:
    with a_scene(BILLERS[name], prior, tmp_path) as scene:
        scene.begin()
        scene.run()
        scene.use_up_the_card(scene.clock.now - timedelta(hours=1))
        decisions = scene.decisions()
        scene.at(scene.clock.now + timedelta(days=3))
        assert sweep(scene.recoup, scene.biller, scene.clock.now) == []
        assert scene.decisions() == decisions


def test_a_sweep_tells_what_could_not_be_asked_about(
    prior: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(_: str) -> None:
        raise refused_with(503)

    with a_scene(with_stripe, prior, tmp_path) as scene:
        scene.at(scene.begun().expires_at)
        monkeypatch.setattr(recovering, "datetime", SimpleNamespace(now=lambda _: scene.clock.now))
        with monkeypatch.context() as patched:
            patched.setattr(scene.biller, "owed", failing)
            with pytest.raises(SystemExit, match=f"payment {scene.fake.invoice}: HTTPStatusError: 503"):
                run(scene.recoup, scene.biller, ["sweep"])
        run(scene.recoup, scene.biller, ["sweep"])
        assert capsys.readouterr().out.startswith(f"{scene.fake.invoice}: 2026-")


@pytest.mark.parametrize(
    ("program", "missing"),
    [
        (stripe_billing, ["STRIPE_KEY"]),
        (kill_bill, ["KILLBILL_URL", "KILLBILL_USER", "KILLBILL_TENANT"]),
        (lago, ["LAGO_KEY"]),
        (polar, ["POLAR_TOKEN"]),
    ],
)
def test_a_program_names_the_variable_that_it_lacks(
    program: ModuleType, missing: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in missing:
        monkeypatch.setenv(name, "x")
    for name in missing:
        with monkeypatch.context() as patched:
            patched.delenv(name)
            with pytest.raises(SystemExit, match=f"^{name} is not set; "):
                program.main(["due"])


def refused_with(status: int) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", "https://biller.example/pay")
    return httpx.HTTPStatusError(str(status), request=request, response=httpx.Response(status, request=request))


@pytest.mark.parametrize("name", BILLERS)
@pytest.mark.parametrize(("status", "known"), [(400, True), (404, True), (409, False), (429, False), (503, False)])
def test_what_a_biller_will_not_charge_loses_its_place_and_what_nobody_knows_of_keeps_it(
    name: str, status: int, known: bool, prior: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(_: object) -> None:
        raise refused_with(status)

    with a_scene(BILLERS[name], prior, tmp_path) as scene:
        scene.begin()
        (held,) = scene.recoup.all_reservations(merchant_id="acme")
        scene.clock.now = held.fire_from
        monkeypatch.setattr(scene.biller, "charge", refusing)
        with pytest.raises(NotAllCarriedOutError, match=f"payment {held.payment_id}: .*{status}"):
            carry_out_due(scene.recoup, scene.biller, scene.clock.now)
        left = list(scene.recoup.all_reservations(merchant_id="acme"))
        if scene.biller.answers_later:  # what was told before it was asked for is taken back, or waits for its answer
            assert scene.attempts() == (["declined"] if known else ["declined", "unknown"])
        else:
            assert bool(left) is not known
            assert scene.attempts() == ["declined"]


def test_a_charge_that_was_made_keeps_its_place_though_nobody_can_ask_for_it(
    prior: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_scene(with_stripe, prior, tmp_path) as scene:
        scene.begin()
        (held,) = scene.recoup.all_reservations(merchant_id="acme")
        scene.clock.now = held.fire_from
        asked, made_since = iter([None, refused_with(404)]), scene.biller.made_since

        def failing(*given: object) -> SettledAttempt | None:
            answer = next(asked, made_since)
            if isinstance(answer, Exception):
                raise answer
            return made_since(*given) if callable(answer) else answer  # type: ignore[arg-type]  # as it was asked

        monkeypatch.setattr(scene.biller, "made_since", failing)
        with pytest.raises(NotAllCarriedOutError, match="404"):
            carry_out_due(scene.recoup, scene.biller, scene.clock.now)
        assert len(list(scene.recoup.all_reservations(merchant_id="acme"))) == 1
        carry_out_due(scene.recoup, scene.biller, scene.clock.now + timedelta(minutes=1))
        assert len(scene.fake.charges) == 2
        assert scene.attempts() == ["declined", "declined"]


def test_one_that_cannot_be_carried_out_keeps_none_of_the_others(
    prior: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with a_scene(with_stripe, prior, tmp_path) as scene:
        request = scene.biller.owed(scene.fake.invoice)
        assert request is not None
        payments = [f"{scene.fake.invoice}{letter}" for letter in "abc"]
        holds = []
        for payment_id in payments:
            payment = replace(request.payment, payment_id=payment_id)
            made = [replace(one, attempt_id=f"{one.attempt_id}{payment_id}") for one in request.attempts or ()]
            decided = scene.recoup.decide(replace(request, payment=payment, attempts=tuple(made), reserve=True))
            assert isinstance(decided, ReservedDecisionAnswer)
            assert decided.reservation is not None
            holds.append(decided.reservation)
        scene.clock.now = max(one.fire_from for one in holds)
        charged: list[str] = []

        def charge(held: ReservationOut) -> None:
            if held.payment_id == payments[0]:
                raise refused_with(400)
            charged.append(held.payment_id)

        def since(payment_id: str, _: datetime) -> SettledAttempt | None:
            made = SettledAttempt(attempt_id=f"of {payment_id}", attempted_at=scene.clock.now, outcome=Outcome.APPROVED)
            return made if payment_id in charged else None

        monkeypatch.setattr(scene.biller, "charge", charge)
        monkeypatch.setattr(scene.biller, "made_since", since)
        monkeypatch.setattr(recovering, "datetime", SimpleNamespace(now=lambda _: scene.clock.now))
        with pytest.raises(
            SystemExit, match=f"1 could not be carried out: payment {payments[0]}: RefusedToChargeError"
        ):
            run(scene.recoup, scene.biller, ["due"])
        assert sorted(charged) == payments[1:]
        assert sorted(capsys.readouterr().out.splitlines()) == [f"of {one}: approved" for one in payments[1:]]
        assert list(scene.recoup.all_reservations(merchant_id="acme")) == []


@pytest.mark.parametrize("name", BILLERS)
def test_what_was_paid_meanwhile_is_not_charged(name: str, prior: Service, tmp_path: Path) -> None:
    with a_scene(BILLERS[name], prior, tmp_path) as scene:
        scene.begin()
        (held,) = scene.recoup.all_reservations(merchant_id="acme")
        scene.fake.paid_otherwise = True
        paid = {
            "merchant_id": "acme",
            "event_id": "p",
            "kind": "payment_paid",
            "happened_at": scene.clock.now.isoformat(),
        }
        scene.api.post(f"/v1/payments/{scene.fake.invoice}/events", paid)
        assert carry_out_due(scene.recoup, scene.biller, held.fire_from) == []
        assert len(scene.fake.charges) == 1
        assert list(scene.recoup.all_reservations(merchant_id="acme")) == []


def test_next_to_a_retry_of_polars_own_nothing_is_charged(prior: Service, tmp_path: Path) -> None:
    with a_scene(with_polar, prior, tmp_path) as scene:
        assert isinstance(scene.fake, FakePolar)
        scene.begin()
        (held,) = scene.recoup.all_reservations(merchant_id="acme")
        scene.fake.planned = held.fire_from + timedelta(hours=20)
        scene.clock.now = held.fire_from
        assert carry_out_due(scene.recoup, scene.biller, scene.clock.now) == []
        assert len(scene.fake.charges) == 1


def test_an_attempt_that_stripe_tells_by_webhook_too_counts_once(prior: Service, tmp_path: Path) -> None:
    with a_scene(with_stripe, prior, tmp_path) as scene:
        scene.begin()
        charge = scene.fake.charges[0]
        attempt = {
            "payment_id": scene.fake.invoice,
            "customer_id": "cus_1",
            "processor": "stripe",
            "method": {"method_id": "pm_1", "rail": "card", "network": "visa", "issuer_country": "DE"},
            "amount_minor": 2_799,
            "currency": "EUR",
            "attempted_at": charge.at.isoformat(),
            "outcome": "declined",
            "code": "insufficient_funds",
        }
        report = {"merchant_id": "acme", "event_id": "evt_1", "attempt_id": charge.name, "source": "webhook"}
        scene.api.post("/v1/attempts", report | {"attempt": attempt})
        assert scene.attempts() == ["declined"]


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def test_the_published_webhooks_name_the_invoice_that_failed() -> None:
    now = START
    stamp = str(int(now.timestamp()))
    body = payload("stripe")
    digest = hmac.new(b"whsec_1", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"stripe-signature": f"t={stamp},v1={digest}"}
    assert stripe_billing.failed_in("whsec_1", headers, body, now) == FakeStripe.invoice
    for first, second in ((digest, "0" * 64), ("0" * 64, digest)):  # while secrets change there is one for each
        both = {"Stripe-Signature": f"t={stamp}, v1={first}, v1={second}"}
        assert stripe_billing.failed_in("whsec_1", both, body, now) == FakeStripe.invoice
    with pytest.raises(ValueError, match="not signed by Stripe"):
        stripe_billing.failed_in("whsec_2", headers, body, now)
    with pytest.raises(ValueError, match="just now"):
        stripe_billing.failed_in("whsec_1", headers, body, now + timedelta(minutes=6))

    assert kill_bill.failed_in("s", {"secret": "s"}, payload("kill_bill")) == FakeKillBill.invoice
    with pytest.raises(ValueError, match="without its secret"):
        kill_bill.failed_in("s", {}, payload("kill_bill"))

    body = payload("lago")
    signature = base64.b64encode(hmac.new(b"key", body, hashlib.sha256).digest()).decode()
    event = lago.verified("key", {"x-lago-signature": signature}, body)
    assert event["payment_provider_invoice_payment_error"]["lago_invoice_id"] == FakeLago.invoice
    with pytest.raises(ValueError, match="not signed by Lago"):
        lago.verified("other", {"x-lago-signature": signature}, body)

    body, secret = payload("polar"), "polar_whs_0123456789abcdef0123"
    own = f"whsec_{base64.b64encode(secret.encode()).decode()}"
    signed = signed_headers([own], "msg_1", int(now.timestamp()), body)
    assert polar.failed_in(secret, signed, body, now) == FakePolar.invoice
    with pytest.raises(SignatureError):
        polar.failed_in(secret + "x", signed, body, now)


def test_kill_bills_only_callback_tells_recoup_too(
    prior: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for source, key in KEYS.items():
        monkeypatch.setenv(key, SECRETS[source])
    database = f"sqlite:///{tmp_path}/ledger.db?synchronous=normal"
    settings = Settings(home=tmp_path, database=database, log_format="json", webhooks=webhook_settings(tmp_path))
    with closing(open_ledger(settings, prior.rulebook)) as ledger:
        app = create_app(settings, service=prior, ledger=ledger, clock=Clock(NOW))
        body = webhook_payload("killbill/invoice_payment_success.json")
        kill_bill.forward("http://127.0.0.1:8080", SECRETS["killbill"], body, InProcess(app))
        assert Hooks(Api(app, Clock(NOW)), ledger).counts() == {"applied": 1}
        with pytest.raises(httpx.HTTPStatusError, match="401"):
            kill_bill.forward("http://127.0.0.1:8080", "another", body, InProcess(app))


@pytest.mark.skipif(shutil.which("jq") is None, reason="the printed command uses jq")
@pytest.mark.parametrize(
    ("values", "kept"), [([], {}), (['{"org.killbill.payment.plugin.timeout": "30s"}'], {"timeout": "30s"})]
)
def test_kill_bills_other_settings_are_kept(values: list[str], kept: dict[str, str], tmp_path: Path) -> None:
    page = (PAGES / "kill-bill.md").read_text("utf-8")
    (program,) = re.findall(r"jq '([^']+)' before.json > after.json", page)
    (tmp_path / "before.json").write_text(json.dumps({"key": "PER_TENANT_CONFIG", "values": values}))
    command = ["jq", program, "before.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert json.loads(done.stdout) == {
        **{f"org.killbill.payment.plugin.{name}": value for name, value in kept.items()},
        "org.killbill.payment.retry.days": "",
        "org.killbill.payment.failure.retry.max.attempts": "0",
    }


def test_stripes_endpoint_is_sent_all_events_that_recoup_reads() -> None:
    asked = re.findall(r"enabled_events\[\]=([\w.]+)'", (PAGES / "stripe-billing.md").read_text("utf-8"))
    source = Path(str(stripe.__file__)).read_text("utf-8")
    names = r'"((?:charge|customer|invoice|mandate|payment_intent|payment_method)\.[a-z_.]+)"'
    assert sorted(asked) == sorted(set(re.findall(names, source)))
    table = (PAGES.parent / "webhooks.md").read_text("utf-8").partition("| Source | Event | Becomes |")[2]
    told = table.partition("| `adyen` |")[0]
    assert [one for one in asked if f"`{one}`" not in told] == []


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("12.5", "EUR", 1_250),
        ("5000", "PYG", 5_000),
        ("1.234", "KWD", 1_234),
        ("500", "JPY", 500),
        ("500.00", "JPY", 500),
    ],
)
def test_kill_bills_amounts_are_read_in_the_currencys_own_digits(amount: str, currency: str, minor: int) -> None:
    assert kill_bill._minor(Decimal(amount), currency) == minor
    with pytest.raises(ValueError, match=rf"0.00001 {currency} is not accepted; expected at most \d decimals"):
        kill_bill._minor(Decimal("0.00001"), currency)


def test_every_currency_has_its_digits_in_kill_bills_recipe() -> None:
    digits = {one.code: one.exponent for one in Currency if one.exponent is not None}
    assert {code: kill_bill._DIGITS.get(code, 2) for code in digits} == digits


@pytest.mark.parametrize(
    ("amount", "currency", "minor"), [(50_000, "ISK", 500), (500, "MGA", 50_000), (2_799, "EUR", 2_799)]
)
def test_stripes_amounts_are_read_in_the_currencys_own_digits(amount: int, currency: str, minor: int) -> None:
    assert stripe_billing._minor(amount, currency) == minor
    with pytest.raises(ValueError, match="50001 is not accepted; expected hundreds"):
        stripe_billing._minor(50_001, "ISK")


def test_a_delivery_of_lago_that_comes_again_still_leads_to_advice(prior: Service, tmp_path: Path) -> None:
    with a_scene(with_lago, prior, tmp_path) as scene:
        assert isinstance(scene.fake, FakeLago)
        assert isinstance(scene.biller, lago.Lago)
        event, key = scene.fake.event(0)
        for _ in range(3):
            assert scene.biller.told(event, key, scene.clock.now) == scene.fake.invoice
            scene.clock.now += timedelta(minutes=5)


@pytest.mark.parametrize("name", BILLERS)
def test_every_recipe_has_its_page_with_sources_and_what_to_switch_off(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text("utf-8")
    assert f"docs/examples/recipes/{name.replace('-', '_')}.py" in page
    for heading in ("## Switch off", "## What becomes what", "## Run", "## What Recoup tells you", "## Sources"):
        assert heading in page
    assert re.search(r"Read on 2026-11-\d\d", page)
    assert all(url.startswith("https://") for url in re.findall(r"\]\((http[^)]+)\)", page))


def test_fields_of_the_recorded_webhooks_are_those_that_the_fakes_answer_with() -> None:
    stripe = json.loads(payload("stripe"))["data"]["object"]
    fake = FakeStripe(Clock(datetime.fromisoformat("2026-11-23T09:00:00+00:00")))
    assert set(fake.invoice_document()) <= set(stripe)
    assert set(FakePolar(fake.clock).order()) <= set(json.loads(payload("polar"))["data"])
    told, _ = FakeLago(fake.clock).event(0)
    error = "payment_provider_invoice_payment_error"
    assert set(told[error]) <= set(json.loads(payload("lago"))[error])
    assert isinstance(fake.transport, httpx.MockTransport)
