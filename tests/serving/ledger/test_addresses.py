"""No password of a database is shown, wherever in its address it stands and whoever complains about it."""

import pytest

from features.errors import InputError, InvalidValueError
from serving.ledger.addresses import without_password, without_secrets_of
from serving.ledger.opening import store_at

NOBODY_LISTENS = "127.0.0.1:1"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:s3cr3t@db/d", "postgresql://u@db/d"),
        ("postgresql://u:s3c@s3cr3t@db/d", "postgresql://u@db/d"),
        ("postgresql://u:s3c/s3cr3t?s3cr3t@db/d", "postgresql://u@db/d"),
        ("postgresql://u:s3c#s3cr3t@db/d", "postgresql://u@db/d"),
        ("postgresql://db/d?user=u&password=s3cr3t", "postgresql://db/d?user=u&password=…"),
        ("postgresql://db/d?password=s3c@s3cr3t&user=u", "postgresql://db/d?password=…&user=u"),
        ("postgresql://db/d?pass%77ord=s3cr3t#s3cr3t", "postgresql://db/d?pass%77ord=…"),
        ("postgresql://db/d?sslkey=k&sslpassword=s3cr3t", "postgresql://db/d?sslkey=k&sslpassword=…"),
        ("postgresql://db/d?password=s3c&s3cr3t&user=u", "postgresql://db/d?password=…&…&user=u"),
        ("postgresql://u@db,other:6432/d", "postgresql://u@db,other:6432/d"),
        ("sqlite:////var/lib/recoup/ledger.db", "sqlite:////var/lib/recoup/ledger.db"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://{NOBODY_LISTENS}/d?user=x&password=s3cr3t",
        f"postgresql://u:s3c@s3cr3t@{NOBODY_LISTENS}/d",
        f"postgresql://u:s3cr3t/s3cr3t@{NOBODY_LISTENS}/d",
        f"postgresql://u:%733cr3t@[{NOBODY_LISTENS}/d",
        f"postgresql://u:s3cr3t@{NOBODY_LISTENS}/d?password=s3cr3t&s3cr3t",
        "oracle://db/d?user=x&password=s3cr3t",
        "oracle://u:s3cr3t@s3cr3t@db/d",
    ],
)
def test_a_database_that_cannot_be_reached_is_named_without_its_password(url: str) -> None:
    with pytest.raises((InputError, InvalidValueError)) as refused:
        store_at(url)
    assert "s3c" not in str(refused.value)


def test_what_a_driver_quotes_that_is_of_no_password_stays() -> None:
    message = 'connection to server at "db" failed: database "d" does not exist'
    assert without_secrets_of("postgresql://u:s3cr3t@db/d", message) == message
    assert without_secrets_of("postgresql://u@db/d", message) == message
