"""API keys: shown once, kept as digests, ended in time, and how fast each may ask."""

from datetime import timedelta
from pathlib import Path

import pytest

from api_builders import START
from features.card_number import holds_card_number
from features.errors import InvalidValueError
from serving.tenancy.bucket import BURST_SECONDS, Bucket
from serving.tenancy.key_ring import KNOWN_FOR_S, STRANGERS_PER_SECOND
from serving.tenancy.keys import Scope, create_key, id_in, keys_of, maybe_key, revoke_key, rotate_key
from serving.tenancy.merchants import add_merchant, merchants_of
from tenants import Tenants

DAY = timedelta(days=1)


def asked(tenants: Tenants, secret: str, path: str = "/v1/models") -> int:
    return tenants.api.with_key(secret).send("GET", path).status_code


def test_a_key_is_nowhere_in_the_database(tenants: Tenants) -> None:
    secret = tenants.keys["acme", Scope.READ].secret
    assert asked(tenants, secret) == 200
    tenants.ledger.store.close()
    files = Path(tenants.ledger.store.where).parent.glob("ledger.db*")
    kept = b"".join(file.read_bytes() for file in files)
    assert tenants.keys["acme", Scope.READ].kept.digest.encode() in kept
    assert secret.encode() not in kept
    assert secret.rpartition("_")[2].encode() not in kept


def test_keys_are_long_random_and_never_like_a_card_number(tenants: Tenants) -> None:
    made = [create_key(tenants.ledger.store, "acme", Scope.READ, START) for _ in range(50)]
    assert len({one.secret for one in made}) == 50
    for one in made:
        assert id_in(one.secret) == one.kept.key_id
        assert not any(character.isdigit() for character in one.secret)
        assert not holds_card_number(one.secret)


@pytest.mark.parametrize("change", [
    lambda secret: secret[:-1] + ("a" if secret[-1] != "a" else "b"),
    lambda secret: secret.replace("recoup_", "recoup"),
    lambda secret: secret[:-1],
    lambda secret: secret.upper(),
    lambda secret: "recoup_abcdefghijkl_" + secret.rpartition("_")[2],
])  # fmt: skip
def test_what_is_not_exactly_a_key_is_refused(tenants: Tenants, change: object) -> None:
    assert callable(change)
    assert asked(tenants, change(tenants.keys["acme", Scope.READ].secret)) == 401


def test_a_refusal_says_how_a_key_is_sent(tenants: Tenants) -> None:
    response = tenants.api.send("GET", "/v1/models")
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["type"] == "urn:recoup:problem:unauthenticated"
    assert "Authorization: Bearer" in response.json()["detail"]
    assert response.headers["x-request-id"]


def test_a_revoked_key_is_refused_within_seconds_and_stays_revoked(tenants: Tenants) -> None:
    key = tenants.keys["acme", Scope.READ]
    assert asked(tenants, key.secret) == 200
    revoke_key(tenants.ledger.store, key.kept.key_id, START)
    tenants.api.clock.now += timedelta(seconds=KNOWN_FOR_S)
    assert asked(tenants, key.secret) == 401
    assert revoke_key(tenants.ledger.store, key.kept.key_id, START + DAY).revoked_at == START


def test_a_clock_that_is_set_back_keeps_no_revoked_key_alive(tenants: Tenants) -> None:
    key = tenants.keys["acme", Scope.READ]
    assert asked(tenants, key.secret) == 200
    revoke_key(tenants.ledger.store, key.kept.key_id, START)
    tenants.api.clock.now -= DAY
    assert asked(tenants, key.secret) == 401


def test_a_key_ends_at_its_instant(tenants: Tenants) -> None:
    key = create_key(tenants.ledger.store, "acme", Scope.READ, START, expires_at=START + DAY)
    tenants.api.clock.now = START + DAY - timedelta(microseconds=1)
    assert asked(tenants, key.secret) == 200
    tenants.api.clock.now = START + DAY
    assert asked(tenants, key.secret) == 401


def test_a_rotated_key_goes_on_beside_its_successor_until_the_overlap_is_over(tenants: Tenants) -> None:
    old = create_key(tenants.ledger.store, "acme", Scope.DECIDE, START, label="billing", per_second=7)
    new = rotate_key(tenants.ledger.store, old.kept.key_id, START, overlap=DAY)
    assert (new.kept.merchant_id, new.kept.scope, new.kept.label, new.kept.per_second) == (
        *("acme", Scope.DECIDE, "billing", 7),
    )
    assert [asked(tenants, key.secret) for key in (old, new)] == [200, 200]
    tenants.api.clock.now = START + DAY
    assert [asked(tenants, key.secret) for key in (old, new)] == [401, 200]
    with pytest.raises(InvalidValueError, match="can still be used"):
        rotate_key(tenants.ledger.store, old.kept.key_id, START + DAY, overlap=DAY)


def test_rotating_never_makes_an_old_key_live_longer(tenants: Tenants) -> None:
    old = create_key(tenants.ledger.store, "acme", Scope.READ, START, expires_at=START + DAY)
    rotate_key(tenants.ledger.store, old.kept.key_id, START, overlap=3 * DAY)
    kept = maybe_key(tenants.ledger.store, old.kept.key_id)
    assert kept is not None
    assert kept.expires_at == START + DAY


def test_last_use_is_written_down_now_and_then(tenants: Tenants) -> None:
    key, noted = tenants.keys["acme", Scope.READ], []
    for _ in range(30):
        assert asked(tenants, key.secret) == 200
        kept = maybe_key(tenants.ledger.store, key.kept.key_id)
        assert kept is not None
        assert kept.last_used_at is not None
        assert tenants.api.clock.now - kept.last_used_at < timedelta(minutes=11)
        noted.append(kept.last_used_at)
        tenants.api.clock.now += timedelta(minutes=1)
    assert len(set(noted)) == 3


def test_a_key_that_asks_too_often_is_told_when_to_ask_again(tenants: Tenants) -> None:
    key = create_key(tenants.ledger.store, "acme", Scope.READ, START, per_second=2)
    answers = [tenants.api.with_key(key.secret).send("GET", "/v1/models") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert answers[-1].headers["retry-after"] == "1"
    assert asked(tenants, tenants.keys["acme", Scope.READ].secret) == 200
    tenants.api.clock.now += timedelta(seconds=1)
    assert [asked(tenants, key.secret) for _ in range(3)] == [200, 200, 429]


def test_guessing_keys_is_slowed_down_and_those_in_use_go_on(tenants: Tenants) -> None:
    used = tenants.keys["acme", Scope.READ].secret
    assert asked(tenants, used) == 200
    letters = "abcdefghijklmnopqrstuvwxyz"
    guesses = [f"recoup_{a}{b}cdefghijkl_{'x' * 40}" for a in letters[:8] for b in letters]
    answers = [asked(tenants, guess) for guess in guesses[: STRANGERS_PER_SECOND * BURST_SECONDS + 10]]
    assert answers == [401] * (STRANGERS_PER_SECOND * BURST_SECONDS - 1) + [429] * 11
    assert asked(tenants, used) == 200


@pytest.mark.parametrize("per_second", [1, 3, 10])
def test_over_any_time_a_bucket_gives_its_burst_and_its_rate_and_no_more(per_second: int) -> None:
    bucket, taken, seconds = Bucket.full(per_second, 0.0), 0, 20
    for tick in range(seconds * 64 + 1):
        while bucket.take(tick / 64) == 0.0:
            taken += 1
    assert taken == per_second * (seconds + BURST_SECONDS)


def test_a_key_is_made_only_for_a_merchant_that_was_added(tenants: Tenants) -> None:
    with pytest.raises(InvalidValueError, match="recoup merchants add"):
        create_key(tenants.ledger.store, "acmee", Scope.READ, START)
    assert add_merchant(tenants.ledger.store, "acmee", "Acme East", START)
    assert not add_merchant(tenants.ledger.store, "acmee", "another name", START)
    create_key(tenants.ledger.store, "acmee", Scope.READ, START)
    assert [(one.merchant_id, one.name, one.keys) for one in merchants_of(tenants.ledger.store, START)] == [
        ("acme", "", 3), ("acmee", "Acme East", 1), ("other", "", 3),
    ]  # fmt: skip
    assert [key.merchant_id for key in keys_of(tenants.ledger.store, "acmee")] == ["acmee"]


def test_an_id_that_stands_for_all_merchants_is_no_merchants(tenants: Tenants) -> None:
    for reserved in ("", "*"):
        with pytest.raises(InvalidValueError, match="an id of your own"):
            add_merchant(tenants.ledger.store, reserved, "", START)
