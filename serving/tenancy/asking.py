"""Whether keys are asked for: always once there are keys, and on every address that others can reach."""

from ipaddress import ip_address

from features.errors import InputError
from serving.ledger.ledger import Ledger
from serving.settings import Auth, Settings
from serving.tenancy.keys import has_keys

_MAKE_ONE = "make one with recoup keys create"


def asks_for_keys(settings: Settings, ledger: Ledger | None) -> bool:
    """Whether a service asks its callers for keys."""
    if settings.auth is Auth.AUTO:
        return ledger is not None and has_keys(ledger.store)
    return settings.auth is Auth.ON


def settled_auth(settings: Settings, ledger: Ledger, host: str | None) -> Auth:
    """`on` or `off` for a service that listens on a host.

    Args:
        host: None where it is not known, which counts as one that others can reach.

    Raises:
        InputError: Others could reach it without a key; says what to do.
    """
    if asks_for_keys(settings, ledger):
        return Auth.ON
    if host is None or not is_loopback(host):
        where = host or "an address that Recoup does not know"
        if settings.auth is Auth.OFF:
            raise InputError(
                f"RECOUP_AUTH is off, which is only for 127.0.0.1, but {where} can be reached by others; "
                f"{_MAKE_ONE} and leave RECOUP_AUTH out"
            )
        raise InputError(f"{where} can be reached by others and there is no API key yet; {_MAKE_ONE}")
    return Auth.OFF


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "recoup.internal")]
    [True, True, True, False, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
