"""Which addresses events may be sent to, so that a target cannot make the service reach into its own network.

The host's name is resolved once, every address that it has is judged, and the connection goes to the one judged.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from features.errors import InvalidValueError

Address = IPv4Address | IPv6Address


class Reach(StrEnum):
    """How far a target may lie inside."""

    PUBLIC = "public"  # addresses of the public internet, over TLS
    PRIVATE = "private"  # those and private networks, over TLS
    LOOPBACK = "loopback"  # this machine and nothing else, TLS or not: for development


_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
_PRIVATE_6 = IPv6Network("fc00::/7")
_LONGEST_NAME = 253
# Underscores are not of the internet's names, and common on private networks.
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_ENCODED = "xn--"  # what follows stands for letters beyond ASCII
# Where clouds answer with the machine's own credentials, on addresses that are private but not link-local.
_METADATA = frozenset(map(ip_address, ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16")))
# Not of the public internet, whatever a Python's own copy of IANA's registries says: protocol assignments, where a
# cloud keeps credentials too, the anycast of old relays, site-local addresses and those for documents.
_ELSEWHERE: tuple[IPv4Network | IPv6Network, ...] = (
    *map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24")),
    *map(IPv6Network, ("fec0::/10", "3fff::/20")),
)
# Addresses that carry an IPv4 address somewhere else: translators and tunnels.
_TRANSLATED = tuple(
    map(IPv6Network, ("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "::ffff:0:0:0/96"))
)


def refused_address(address: Address, reach: Reach) -> bool:
    """Whether events may not be sent to an address."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return refused_address(address.ipv4_mapped, reach)
        if address.is_loopback:
            return reach is not Reach.LOOPBACK
        if any(address in network for network in _TRANSLATED):
            return True
    if address.is_loopback or reach is Reach.LOOPBACK:
        return not (address.is_loopback and reach is Reach.LOOPBACK)
    if address in _METADATA or address.is_multicast or address.is_link_local:
        return True
    if any(address in network for network in _ELSEWHERE if network.version == address.version):
        return True
    if address.is_global and not address.is_reserved:
        return False
    return not (reach is Reach.PRIVATE and _is_private(address))


def chosen_address(addresses: Sequence[str], host: str, reach: Reach) -> str:
    """The address to connect to: the first, where every one of them is allowed.

    Raises:
        InvalidValueError: There is none, or one of them may not be reached.
    """
    if not addresses:
        raise InvalidValueError("url", host, "a host that has an address")
    for text in addresses:
        if refused_address(ip_address(text.partition("%")[0]), reach):
            raise InvalidValueError("url", f"{host} ({text})", f"a host whose addresses are {_WORDS[reach]}")
    return addresses[0]


def check_url(url: str, reach: Reach) -> None:
    """Refuse what no event may be sent to, as far as its text says so.

    Raises:
        InvalidValueError: The scheme, the host or another part cannot be used.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidValueError("url", url, "an address such as https://billing.example.com/recoup") from None
    schemes = ("https", "http") if reach is Reach.LOOPBACK else ("https",)
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    if parts.scheme not in schemes or not host or port == 0 or not plain:
        raise InvalidValueError("url", url, f"an address that starts with {' or '.join(f'{s}://' for s in schemes)}")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise InvalidValueError("url", "(not shown)", "an address without user, password and fragment")
    try:
        literal = ip_address(host)
    except ValueError:
        _check_name(host)
        return
    chosen_address([str(literal)], host, reach)


def _check_name(host: str) -> None:
    """Refuse what is no name of a host; resolvers fail on it in ways of their own."""
    name = host.removesuffix(".")
    if len(name) > _LONGEST_NAME or not all(_is_label(label) for label in name.split(".")):
        expected = (
            f"a host of parts of 1 to 63 letters, digits and hyphens, {_LONGEST_NAME} characters altogether, such as "
            "billing.example.com"
        )
        raise InvalidValueError("url", host, expected)


def _is_label(label: str) -> bool:
    if _LABEL.fullmatch(label) is None:
        return False
    if not label.startswith(_ENCODED):
        return True
    try:
        return not label.removeprefix(_ENCODED).encode().decode("punycode").isascii()
    except UnicodeError:
        return False


def _is_private(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return any(address in network for network in _PRIVATE)
    return address in _PRIVATE_6


_WORDS = {
    Reach.PUBLIC: "public",
    Reach.PRIVATE: "public or of a private network",
    Reach.LOOPBACK: "this machine's own",
}
