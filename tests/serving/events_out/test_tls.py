"""Over TLS the certificate is that of the host's name, although the connection goes to an address."""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from serving.events_out import posting
from serving.events_out.addresses import Reach
from serving.events_out.posting import Outcome, post, posting_client, trusted
from serving.events_out.targets import Target

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
HOST = "billing.invalid"


@dataclass(frozen=True)
class Certificate:
    serving: ssl.SSLContext
    trusting: ssl.SSLContext


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """One that a host of this name signed for itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, SHA256())
    )
    path: Path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(made.public_bytes(Encoding.PEM) + private)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(path)
    return Certificate(serving, ssl.create_default_context(cafile=str(path)))


async def sent(certificate: Certificate, host: str, trust: ssl.SSLContext) -> Outcome:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=certificate.serving)
    url = f"https://{host}:{server.sockets[0].getsockname()[1]}/recoup"
    async with server, posting_client(trust) as client:
        target = Target("acme", "billing", url, (SECRET,), Reach.LOOPBACK)
        outcome = await post(client, target, "evt_1", b"{}", 0, resolve)
    await asyncio.sleep(0.05)  # the server's side of the connection closes
    return outcome


def test_the_certificate_must_be_of_the_host_and_of_somebody_who_is_believed(certificate: Certificate) -> None:
    assert asyncio.run(sent(certificate, HOST, certificate.trusting)).accepted
    assert not asyncio.run(sent(certificate, "other.invalid", certificate.trusting)).accepted
    assert not asyncio.run(sent(certificate, HOST, ssl.create_default_context())).accepted


def test_the_certificates_that_are_believed_are_read_once_and_nobody_waits_for_it() -> None:
    async def read() -> tuple[ssl.SSLContext, int]:
        turns, reading = 0, asyncio.create_task(trusted())
        while not reading.done():
            turns += 1
            await asyncio.sleep(0.001)
        return await reading, turns

    posting._trusted.cache_clear()
    first, turns = asyncio.run(read())
    assert turns > 2
    assert asyncio.run(read())[0] is first
