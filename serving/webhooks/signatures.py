"""Whether a delivery comes from its sender, by each sender's own scheme; every comparison takes the same time."""

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs

from features.errors import RecoupError
from features.sources.document import Node, json_document

TOLERANCE_S = 300
"""How far a signed time may be from ours, either way: what Stripe's and Standard Webhooks' own libraries allow."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A delivery as its signature is about it.

    Args:
        headers: By lower-case name.
        query: Of the address.
    """

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


Scheme = Callable[[str, Signed, datetime], bool]
"""From a secret, a delivery and now to whether the secret signed it."""


def verified(source: str, secrets: Sequence[str], signed: Signed, now: datetime) -> bool:
    """Whether any of the active secrets signed the delivery; several are active while they rotate."""
    scheme = _SCHEMES[source]
    return any(scheme(secret, signed, now) for secret in secrets)


def _stripe(secret: str, signed: Signed, now: datetime) -> bool:
    """`t=…,v1=…`, over `t.body`: https://docs.stripe.com/webhooks#verify-manually."""
    pairs = [part.strip().partition("=") for part in signed.headers.get("stripe-signature", "").split(",")]
    stamp = next((value for key, _, value in pairs if key == "t"), "")
    given = [value for key, _, value in pairs if key == "v1"]
    wanted = _sha256(secret.encode(), stamp.encode("latin-1", "replace") + b"." + signed.body).hexdigest()
    return _is_fresh(stamp, now) and _any_equal(wanted, given)


def _standard(secret: str, signed: Signed, now: datetime) -> bool:
    """`v1,…` over `id.timestamp.body`: https://github.com/standard-webhooks/standard-webhooks."""
    name, stamp = signed.headers.get("webhook-id", ""), signed.headers.get("webhook-timestamp", "")
    given = [part[3:] for part in signed.headers.get("webhook-signature", "").split() if part.startswith("v1,")]
    key = _base64(secret.removeprefix("whsec_"))
    if key is None or not name:
        return False
    content = f"{name}.{stamp}.".encode("latin-1", "replace") + signed.body
    return _is_fresh(stamp, now) and _any_equal(b64encode(_sha256(key, content).digest()).decode(), given)


def _recurly(secret: str, signed: Signed, now: datetime) -> bool:
    """JSON: milliseconds and signatures over `milliseconds.body`; XML is not signed, it comes with a password.

    https://docs.recurly.com/recurly-subscriptions/docs/signature-verification
    """
    header = signed.headers.get("recurly-signature")
    if header is None:
        return _basic(secret, signed, now)
    stamp, *given = [part.strip() for part in header.split(",")]
    wanted = _sha256(secret.encode(), stamp.encode("latin-1", "replace") + b"." + signed.body).hexdigest()
    return _is_fresh(stamp, now, a_second=1000) and _any_equal(wanted, given)


def _adyen(secret: str, signed: Signed, _: datetime) -> bool:
    """Each item signs eight of its fields; webhooks of tokens sign the body in a header. The key is hexadecimal.

    https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures
    """
    try:
        key = bytes.fromhex(secret)
    except ValueError:
        return False
    header = signed.headers.get("hmacsignature")
    if header is not None:
        return _any_equal(b64encode(_sha256(key, signed.body).digest()).decode(), [header])
    try:
        items = json_document(signed.body).items("notificationItems")
        return bool(items) and all(_adyen_item(key, item.at("NotificationRequestItem")) for item in items)
    except RecoupError:
        return False


def _adyen_item(key: bytes, item: Node) -> bool:
    parts = (
        *(item.at("pspReference"), item.at("originalReference"), item.at("merchantAccountCode")),
        *(item.at("merchantReference"), item.at("amount", "value"), item.at("amount", "currency")),
        *(item.at("eventCode"), item.at("success")),
    )
    content = ":".join(str(part.value) if part.present else "" for part in parts).encode()
    given = item.maybe("additionalData", "hmacSignature") or ""
    return _any_equal(b64encode(_sha256(key, content).digest()).decode(), [given])


def _braintree(secret: str, signed: Signed, _: datetime) -> bool:
    """`public key|signature`, HMAC-SHA1 under the SHA-1 of the private key; the secret is `public key:private key`.

    https://github.com/braintree/braintree_python/blob/master/braintree/webhook_notification_gateway.py
    """
    public, _colon, private = secret.partition(":")
    form = parse_qs(signed.body.decode("latin-1"))
    payload, pairs = form.get("bt_payload", [""])[0], form.get("bt_signature", [""])[0].split("&")
    given = [value for name, _bar, value in (pair.partition("|") for pair in pairs) if name == public]
    key = hashlib.sha1(private.encode()).digest()  # noqa: S324 - the sender's own scheme
    # Forms lose the line break at the end that the signature counts.
    texts = {payload, payload.rstrip("\n") + "\n"}
    wanted = [hmac.new(key, text.encode("latin-1", "replace"), hashlib.sha1).hexdigest() for text in texts]
    return bool(payload) and any(_any_equal(one, given) for one in wanted)


def _hex_of_body(header: str) -> Scheme:
    """HMAC-SHA256 of the body, hexadecimal, in one header."""

    def scheme(secret: str, signed: Signed, _: datetime) -> bool:
        wanted = _sha256(secret.encode(), signed.body).hexdigest()
        return _any_equal(wanted, [signed.headers.get(header, "").strip().lower()])

    return scheme


def _basic(secret: str, signed: Signed, _: datetime) -> bool:
    """HTTP Basic authentication: the secret is `user:password`."""
    scheme, _space, given = signed.headers.get("authorization", "").partition(" ")
    decoded = _base64(given.strip())
    return scheme.lower() == "basic" and decoded is not None and hmac.compare_digest(decoded, secret.encode())


def _killbill(secret: str, signed: Signed, now: datetime) -> bool:
    """Kill Bill signs nothing: the secret stands in the address that it calls (`?secret=`), or is `user:password`."""
    return _basic(secret, signed, now) or _any_equal(secret, [signed.query.get("secret", "")])


def _is_fresh(stamp: str, now: datetime, a_second: int = 1) -> bool:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 15):
        return False
    return abs(int(stamp) / a_second - now.timestamp()) <= TOLERANCE_S


def _any_equal(wanted: str, given: Sequence[str]) -> bool:
    return any(hmac.compare_digest(wanted.encode(), one.encode("utf-8", "replace")) for one in given)


def _sha256(key: bytes, content: bytes) -> "hmac.HMAC":
    return hmac.new(key, content, hashlib.sha256)


def _base64(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


GENERIC = "generic"
_SCHEMES: Mapping[str, Scheme] = {
    "stripe": _stripe,
    "adyen": _adyen,
    "braintree": _braintree,
    # https://developer.gocardless.com/getting-started/staying-up-to-date-with-webhooks
    "gocardless": _hex_of_body("webhook-signature"),
    # https://www.checkout.com/docs/workflows/set-up-your-webhook-receiver
    "checkout": _hex_of_body("cko-signature"),
    # https://www.chargebee.com/docs/2.0/webhook_settings.html
    "chargebee": _basic,
    "recurly": _recurly,
    "killbill": _killbill,
    GENERIC: _standard,
}
SOURCES: tuple[str, ...] = tuple(_SCHEMES)
"""The names that may stand in `/webhooks/{source}`."""
