"""No target makes the service reach where it was not told to."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InvalidValueError
from serving.events_out.addresses import Reach, check_url, chosen_address, refused_address

INSIDE = (
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "100.100.100.200", "168.63.129.16", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::", "2001:0:1::1", "2001:db8::1", "64:ff9b:1::1", "fec0::1", "3fff::1", "192.0.0.192", "192.0.0.9",
    "192.88.99.1",
)  # fmt: skip
PRIVATE = {"10.1.2.3", "172.16.0.1", "192.168.1.1", "fc00::1", "::ffff:10.0.0.1"}
LOOPBACK = {"127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"}


@pytest.mark.parametrize("text", INSIDE)
def test_an_address_inside_is_reached_only_where_that_was_allowed(text: str) -> None:
    address = ip_address(text)
    assert refused_address(address, Reach.PUBLIC)
    assert refused_address(address, Reach.PRIVATE) is (text not in PRIVATE)
    assert refused_address(address, Reach.LOOPBACK) is (text not in LOOPBACK)


@pytest.mark.parametrize("text", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8"])
def test_a_public_address_is_reached_but_not_by_a_target_for_development(text: str) -> None:
    assert not refused_address(ip_address(text), Reach.PUBLIC)
    assert not refused_address(ip_address(text), Reach.PRIVATE)
    assert refused_address(ip_address(text), Reach.LOOPBACK)


@given(st.ip_addresses())
def test_whatever_is_public_is_global_by_the_registry_too(address: object) -> None:
    found = ip_address(str(address))
    if not refused_address(found, Reach.PUBLIC):
        assert found.is_global
        assert not found.is_multicast


def test_one_address_inside_is_enough_to_refuse_a_host() -> None:
    assert chosen_address(["8.8.8.8", "8.8.4.4"], "a.example", Reach.PUBLIC) == "8.8.8.8"
    for addresses in (["8.8.8.8", "10.0.0.1"], ["fe80::1%eth0"], []):
        with pytest.raises(InvalidValueError, match="a host"):
            chosen_address(addresses, "a.example", Reach.PUBLIC)


@pytest.mark.parametrize(
    "url",
    [
        "http://billing.example.com/", "ftp://billing.example.com/", "https://", "billing.example.com",
        "https://user:pass@billing.example.com/", "https://billing.example.com/#x", "https://10.0.0.1/",
        "https://[::1]/", "https://[::ffff:169.254.169.254]/", "https://billing.example.com:0/",
        "https://billing.example.com:99999/", "https://billing.example.com\\@inside/", "https://a b/", "https://[::1",
        "file:///etc/passwd", "https://127.0.0.1/", "https://bücher.example/",
        "https://hooks..acme.example/x", "https://.example.com/", "https://example.com../", "https://./",
        f"https://{'a' * 64}.example/", f"https://{'a.' * 126}ab/", "https://-a.example/", "https://a-.example/",
        "https://a%2e.example/", "https://xn--.example/", "https://xn--99999999999.example/",
    ],
)  # fmt: skip
def test_what_no_event_may_go_to_is_refused_by_its_text(url: str) -> None:
    with pytest.raises(InvalidValueError):
        check_url(url, Reach.PUBLIC)


@pytest.mark.parametrize(
    "host",
    [
        "a" * 63 + ".example",
        "a." * 125 + "abc",
        "Billing.Example.COM.",
        "my_billing",
        "xn--bcher-kva.example",
        "1and1.example",
    ],
)
def test_a_name_of_a_host_may_be_as_long_as_names_are_and_stand_for_other_letters(host: str) -> None:
    check_url(f"https://{host}/", Reach.PUBLIC)


def test_plain_http_is_for_this_machine_only() -> None:
    check_url("https://billing.example.com:8443/recoup?x=1", Reach.PUBLIC)
    check_url("https://10.0.0.1/", Reach.PRIVATE)
    check_url("http://127.0.0.1:8000/", Reach.LOOPBACK)
    for url in ("http://10.0.0.1/", "http://billing.internal/"):
        with pytest.raises(InvalidValueError):
            check_url(url, Reach.PRIVATE)
    with pytest.raises(InvalidValueError):
        check_url("http://10.0.0.1/", Reach.LOOPBACK)
