"""The address of a database as people may read it: no password, wherever in it one stands."""

import re
from urllib.parse import unquote

_PARAMETER = re.compile(r"(?<=[?&])([^=&]*)(=?)([^&]*)")
_QUOTED = re.compile(r"""(["'])(.*?)\1""")
_MASK = "…"


def without_password(url: str) -> str:
    """The address without what stands between the user and the last @, and without parameters that name a password.

    >>> without_password("postgresql://u:s3c@r3t@db/d?password=x&sslmode=require")
    'postgresql://u@db/d?password=…&sslmode=require'
    """
    scheme, mark, rest = _PARAMETER.sub(_masked, url).partition("://")
    if not mark or "@" not in rest:
        return scheme + mark + rest
    user, _, server = rest.rpartition("@")
    return f"{scheme}://{re.split(r'[:/?@]', user)[0]}@{server}"


def without_secrets_of(url: str, message: str) -> str:
    """A driver's message, which may quote any piece of the address, without the pieces that are of a password.

    >>> without_secrets_of("postgresql://u:s3c@r3t@db/d", 'could not translate host name "r3t@db"')
    'could not translate host name "…"'
    """
    pieces = _pieces(url)

    def shown(quoted: re.Match[str]) -> str:
        return quoted[1] + _MASK + quoted[1] if any(piece in quoted[2] for piece in pieces) else quoted[0]

    return _QUOTED.sub(shown, message)


def _pieces(url: str) -> set[str]:
    """Between what characters a driver may cut a password up."""
    user, _, _ = url.partition("://")[2].rpartition("@")
    secrets = [user.partition(":")[2], *(one[3] or one[1] for one in _PARAMETER.finditer(url) if _is_secret(one))]
    cut = {piece for secret in secrets for piece in re.split(r"[@:/?#&,]", secret)}
    return {piece for piece in cut | {unquote(piece) for piece in cut} if piece}


def _masked(parameter: re.Match[str]) -> str:
    name = parameter[1] + parameter[2] if parameter[2] else ""
    return name + _MASK if _is_secret(parameter) else parameter[0]


def _is_secret(parameter: re.Match[str]) -> bool:
    """Whether it names a password, or has no name: then it may be the end of one that holds a &."""
    nameless = not parameter[2] and "@" not in parameter[1]
    return nameless or "password" in unquote(parameter[1]).lower()
