"""Signatures of Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.

`v1,` and the Base64 of HMAC-SHA-256 over `id.timestamp.body`; several signatures while secrets rotate.
"""

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence

from features.errors import InvalidValueError

PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64


def key_of(secret: str) -> bytes:
    """The key in a secret `whsec_…`.

    Raises:
        InvalidValueError: It is not the Base64 of 24 to 64 bytes; the message does not hold it.
    """
    expected = f"{PREFIX} and the Base64 of {_SHORTEST} to {_LONGEST} random bytes"
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise InvalidValueError("secret", "(not shown)", expected)
    return key


def signed_headers(secrets: Sequence[str], event_id: str, seconds: int, body: bytes) -> dict[str, str]:
    """The headers that let a receiver verify who sent the body, and when.

    Args:
        secrets: Every secret that is active; each signs.
        seconds: Of the sending, since 1970.
    """
    content = f"{event_id}.{seconds}.".encode() + body
    made = (hmac.new(key_of(secret), content, hashlib.sha256).digest() for secret in secrets)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{b64encode(digest).decode()}" for digest in made),
    }
