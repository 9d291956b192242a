"""The file of targets says what is wrong with it, and never what a secret is."""

from pathlib import Path

import pytest

from features.errors import InputError
from serving.events_out.addresses import Reach
from serving.events_out.targets import Target, Targets, targets_in

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
ENVIRONMENT = {"KEY": SECRET, "OLD": SECRET, "BAD": "hunter2"}
GOOD = """[[target]]
merchant_id = "acme"
name = "billing"
url = "https://billing.example.com/recoup"
secrets = [{ env = "KEY" }]
"""


def read(tmp_path: Path, text: str, environment: dict[str, str] | None = ENVIRONMENT) -> Targets:
    path = tmp_path / "targets.toml"
    path.write_text(text)
    return targets_in(path, environment)


def test_a_file_gives_its_targets_and_no_file_gives_none(tmp_path: Path) -> None:
    other = GOOD.replace("billing", "crm").replace('"KEY" }', '"KEY" }, { file = "old" }') + 'reach = "private"\n'
    (tmp_path / "old").write_text(SECRET + "\n")
    found = read(tmp_path, GOOD + other)
    assert found.named("acme", "billing") == Target(
        "acme", "billing", "https://billing.example.com/recoup", (SECRET,), Reach.PUBLIC
    )
    assert [(one.reach, len(one.secrets)) for one in found.all] == [("public", 1), ("private", 2)]
    assert found.outbox.targets == {"acme": ("billing", "crm")}
    assert SECRET not in repr(found)
    assert targets_in(None, ENVIRONMENT) == Targets()
    assert not targets_in(None, ENVIRONMENT).outbox.tells("acme")


def test_without_an_environment_no_secret_is_asked_for(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD, None).all[0].secrets == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"KEY"', '"NOWHERE"'), "NOWHERE is not there"),
        (('"KEY"', '"BAD"'), "24 to 64 random bytes"),
        (('secrets = [{ env = "KEY" }]', ""), "ACME_EVENTS_SECRET"),
        (('{ env = "KEY" }', '{ env = "KEY" }, { env = "OLD" }, { env = "KEY" }'), "two while they rotate"),
        (("https://", "http://"), "https://"),
        (("billing.example.com", "169.254.169.254"), "public"),
        (("merchant_id", "merchant"), "merchant_id: is missing"),
        (("[[target]]", "[target]"), "one [[target]] table"),
        (("[[target]]", "[["), "is not TOML"),
        (("secrets", 'reach = "everywhere"\nsecrets'), "loopback"),
        (("[[target]]", GOOD + "[[target]]"), "has two of the name billing"),
    ],
)
def test_every_fault_is_named_and_no_secret_is(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    with pytest.raises(InputError) as refused:
        read(tmp_path, GOOD.replace(*change))
    assert said in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.toml cannot be read"):
        targets_in(tmp_path / "nowhere.toml", None)
