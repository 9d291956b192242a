"""Who stopped a merchant: its own admin key lifts its own stop, an operator's every stop."""

from datetime import timedelta

from api_builders import Api
from serving.tenancy.keys import EVERY_MERCHANT
from tenants import Tenants


def say(api: Api, word: str, status: int = 200, merchant_id: str | None = "acme") -> list[str]:
    """Who holds the stops that are in force then; one minute passes."""
    api.clock.now += timedelta(minutes=1)
    named = {} if merchant_id is None else {"merchant_id": merchant_id}
    told = api.post(f"/v1/admin/{word}", named | {"reason": f"see INC-7, {word}"}, status)
    return [one["by"] for one in told["stops"]] if status == 200 else [told["detail"]]


def test_a_merchant_does_not_lift_what_an_operator_stopped(tenants: Tenants) -> None:
    own, operator = tenants.of("acme"), tenants.of(EVERY_MERCHANT)
    assert say(operator, "stop") == ["operator"]
    for named in ("acme", None):
        (detail,) = say(own, "resume", 403, named)
        assert "stopped by an operator" in detail
        assert "INC-7" in detail
    assert say(operator, "resume") == []


def test_a_merchants_own_stop_over_an_operators_is_lifted_by_itself(tenants: Tenants) -> None:
    own, operator = tenants.of("acme"), tenants.of(EVERY_MERCHANT)
    say(operator, "stop")
    assert say(own, "stop") == ["operator", "merchant"]
    assert say(own, "resume") == ["operator"]
    say(own, "resume", 403)


def test_an_operator_lifts_both(tenants: Tenants) -> None:
    own, operator = tenants.of("acme"), tenants.of(EVERY_MERCHANT)
    say(own, "stop")
    say(operator, "stop")
    assert say(operator, "resume") == []
    assert say(own, "resume") == []


def test_a_merchant_lifts_its_own_and_leaves_a_stop_of_all(tenants: Tenants) -> None:
    own, operator = tenants.of("acme"), tenants.of(EVERY_MERCHANT)
    say(operator, "stop", merchant_id=None)
    assert say(own, "stop", merchant_id=None) == ["operator", "merchant"]
    assert say(own, "resume", merchant_id=None) == ["operator"]
