"""Aliases are followed while requests are answered: a new model is ready before it answers, a bad one never does."""

import asyncio
import io
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from time import monotonic

import httpx
import pytest
from fastapi import FastAPI

from api_builders import Clock
from context_builders import card, context, failed
from features.errors import InputError
from made_registry import MakeRegistry
from metric_readers import counted
from model.artifact import read_artifact, write_artifact
from serving import asking_mlflow
from serving.app import create_app
from serving.ledger_access import open_ledger
from serving.logs import service_log
from serving.metrics import Metrics
from serving.registry import Champion, prepared
from serving.service import Service
from serving.settings import Settings, Shadow
from serving.trust.aliases import Named, NoRegistryError
from serving.trust.current import Current
from serving.trust.following import TRIED_AGAIN_AFTER, Follower
from serving.trust.telling import OUT_OF_REACH, models_of
from small_models import write_small

JSON = {"content-type": "application/json"}
PATIENCE_SECONDS = 300.0
"""Before a wait counts as vain; machines that do much else take a minute to import MLflow."""
FAILED = context((card(),), (failed(card()),))


@dataclass
class Registry:
    """What a registry says, as tests set it."""

    named: dict[str, str] = field(default_factory=dict)
    folders: dict[str, Path] = field(default_factory=dict)
    away: InputError | None = None
    begun: str = "a registry"
    fetched: list[str] = field(default_factory=list)

    def aliases(self, uri: str, wanted: Sequence[str]) -> dict[str, Named]:
        if self.away is not None:
            raise self.away
        return {alias: Named(self.named[alias], self.begun) for alias in wanted if alias in self.named}

    def resolve(self, settings: Settings) -> Champion | str:
        version = self.named[settings.model_alias]
        self.fetched.append(version)
        if version not in self.folders:
            return "its files are not there"
        return Champion(self.folders[version], version, self.begun)


@dataclass
class Followed:
    """A follower with everything around it."""

    registry: Registry
    current: Current
    metrics: Metrics
    clock: Clock
    follower: Follower

    @property
    def answers(self) -> str:
        return self.current.service.answering.scorer.version


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine may take minutes to load MLflow; a server that is away it would ask for longer if it was let."""
    monkeypatch.setattr(asking_mlflow, "_SECONDS_TO_RESOLVE", 200)


@pytest.fixture
def broken(artifact: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "broken"
    shutil.copytree(artifact, copy)
    text = (copy / "booster_0.txt").read_text()
    (copy / "booster_0.txt").write_text(text.replace("leaf_value=", "leaf_value=9", 1))
    return copy


@pytest.fixture
def followed(service: Service, settings: Settings, artifact: Path, other_artifact: Path, broken: Path) -> Followed:
    folders = {"1": artifact, "2": other_artifact, "3": broken}
    registry, clock, metrics = Registry({"champion": "1"}, folders), Clock(), Metrics()
    current = Current(replace(service, answering=prepared(artifact, "recoup-retry@champion", "1")))
    log = service_log("json", io.StringIO())
    follower = Follower(current, settings, metrics, log, clock, aliases=registry.aliases, resolve=registry.resolve)
    return Followed(registry, current, metrics, clock, follower)


def version(folder: Path) -> str:
    return read_artifact(folder).version


def test_nothing_is_fetched_while_the_alias_stays(followed: Followed, artifact: Path) -> None:
    for _ in range(3):
        followed.follower.look()
    assert (followed.registry.fetched, followed.answers) == ([], version(artifact))
    assert models_of(followed.current.snapshot).registry.asked_at == followed.clock.now


def test_the_alias_is_moved_while_threads_decide_and_each_request_keeps_the_model_it_began_with(
    followed: Followed, artifact: Path, other_artifact: Path
) -> None:
    both, ended = [version(artifact), version(other_artifact)], threading.Event()
    found: list[list[str]] = [[], [], []]
    faults: list[Exception] = []

    def decide(own: list[str]) -> None:
        try:
            while not ended.is_set() or own[-1:] != both[1:]:
                service = followed.current.service.for_request(None)
                own += [service.decide(FAILED).versions.model for _ in range(2)]
                assert own[-1] == own[-2]
        except Exception as fault:  # noqa: BLE001 - told by the thread that waits
            faults.append(fault)

    threads = [threading.Thread(target=decide, args=(own,), daemon=True) for own in found]
    for thread in threads:
        thread.start()
    followed.registry.named["champion"] = "2"
    followed.follower.look()
    ended.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
    assert faults == []
    for own in found:
        assert own == sorted(own, key=both.index)  # never back again
        assert set(own) <= set(both)
    told = models_of(followed.current.snapshot)
    assert (told.version, told.registered_version, told.since) == (both[1], "2", followed.clock.now)
    assert told.prepared_seconds > 0


def test_a_changed_artifact_is_refused_counted_and_the_old_model_goes_on(followed: Followed, artifact: Path) -> None:
    followed.registry.named["champion"] = "3"
    for _ in range(3):
        followed.follower.look()
    assert followed.answers == version(artifact)
    (refused,) = models_of(followed.current.snapshot).not_taken
    assert (refused.alias, refused.registered_version) == ("champion", "3")
    assert "booster_0.txt" in refused.reason
    assert followed.registry.fetched == ["3"]  # not again and again
    text = followed.metrics.text().decode()
    assert counted(text, "recoup_models_refused_total") == [({"alias": "champion"}, 1.0)]
    followed.clock.now += TRIED_AGAIN_AFTER
    followed.follower.look()
    assert followed.registry.fetched == ["3", "3"]
    (again,) = models_of(followed.current.snapshot).not_taken
    assert again.since == refused.since
    followed.registry.named["champion"] = "1"
    followed.follower.look()
    assert models_of(followed.current.snapshot).not_taken == ()


def test_a_model_that_answers_its_own_examples_otherwise_here_is_refused(
    followed: Followed, artifact: Path, tmp_path: Path
) -> None:
    told = {"rows": [[0.0] * len(read_artifact(artifact).columns)], "prior": [0.0], "probability": [0.123]}
    strange = write_small(tmp_path / "strange", seeds=(7,))
    made = read_artifact(strange)
    write_artifact(replace(made, facts={**made.facts, "worked": told}), strange)
    followed.registry.folders["4"] = strange
    followed.registry.named["champion"] = "4"
    followed.follower.look()
    (refused,) = models_of(followed.current.snapshot).not_taken
    assert "worked example 1 has a chance of 0.123" in refused.reason


def test_a_registry_out_of_reach_changes_nothing_and_it_is_told_since_when(followed: Followed, artifact: Path) -> None:
    began = followed.clock.now
    followed.registry.away = InputError("the registry at postgresql://db.internal cannot be asked: no route to host")
    for _ in range(2):
        followed.follower.look()
        followed.clock.now += timedelta(minutes=1)
    told = models_of(followed.current.snapshot)
    assert (told.version, told.registry.unreachable_since) == (version(artifact), began)
    assert told.registry.reason == OUT_OF_REACH
    assert counted(followed.metrics.text().decode(), "recoup_registry_away") == [({}, 1.0)]
    followed.registry.away = None
    followed.follower.look()
    assert models_of(followed.current.snapshot).registry.unreachable_since is None


def test_a_registry_that_is_not_there_any_more_is_out_of_reach_and_the_model_goes_on(
    followed: Followed, artifact: Path
) -> None:
    followed.registry.away = NoRegistryError("the registry sqlite:////mnt/mlflow.db does not exist")
    followed.follower.look()
    told = models_of(followed.current.snapshot)
    assert (told.version, told.registry.unreachable_since) == (version(artifact), followed.clock.now)


def test_a_registry_that_never_was_names_nothing(followed: Followed, settings: Settings, service: Service) -> None:
    registry, current = followed.registry, Current(service)
    registry.away = NoRegistryError("the registry sqlite:////mnt/mlflow.db does not exist")
    log = service_log("json", io.StringIO())
    follower = Follower(current, settings, Metrics(), log, Clock(), aliases=registry.aliases, resolve=registry.resolve)
    follower.look()
    assert current.snapshot.away_since is None
    note = settings.home / "models" / "challenger.json"
    note.parent.mkdir(parents=True)
    note.write_text('{"folder": "anywhere", "version": "1"}')
    follower.look()
    assert current.snapshot.away_since is not None


def test_another_version_of_the_same_number_is_taken_when_the_registry_is_begun_anew(
    followed: Followed, artifact: Path, other_artifact: Path
) -> None:
    followed.registry.named["challenger"] = "2"
    followed.follower.look()
    followed.follower.look()  # of the model that was held from before it is not known when it was made
    assert (followed.registry.fetched, followed.answers) == (["2"], version(artifact))
    for begun, folder in (("another", other_artifact), ("one more", artifact)):
        followed.registry.begun, followed.registry.folders["1"] = begun, folder
        del followed.registry.fetched[:]
        followed.current.answer_with(replace(followed.current.service.answering, made="before"), followed.clock.now)
        followed.follower.look()
        assert (followed.registry.fetched, followed.answers) == (["1", "2"], version(folder))
        followed.follower.look()
        assert followed.registry.fetched == ["1", "2"]


def test_files_out_of_reach_are_tried_again_and_then_taken(followed: Followed, other_artifact: Path) -> None:
    followed.registry.named["champion"] = "5"
    followed.follower.look()
    assert models_of(followed.current.snapshot).not_taken[0].reason == "its files are not there"
    followed.registry.folders["5"] = other_artifact
    followed.clock.now += TRIED_AGAIN_AFTER
    followed.follower.look()
    assert (followed.answers, models_of(followed.current.snapshot).not_taken) == (version(other_artifact), ())


def test_an_alias_that_is_taken_away_leaves_it_to_the_prior(followed: Followed) -> None:
    del followed.registry.named["champion"]
    followed.follower.look()
    told = models_of(followed.current.snapshot)
    assert (told.policy_source, told.registered_version) == ("prior", None)
    assert told.refused is not None
    followed.registry.named["champion"] = "1"
    followed.follower.look()
    assert models_of(followed.current.snapshot).policy_source == "model"


def test_a_challenger_comes_and_goes_and_is_never_the_champion_itself(followed: Followed, other_artifact: Path) -> None:
    followed.registry.named["challenger"] = "2"
    followed.follower.look()
    told = models_of(followed.current.snapshot).challenger
    assert told is not None
    assert (told.version, told.registered_version) == (version(other_artifact), "2")
    followed.registry.named["champion"] = "2"
    followed.follower.look()
    assert models_of(followed.current.snapshot).challenger is None


def test_where_shadow_is_off_nobody_challenges(followed: Followed, settings: Settings, service: Service) -> None:
    registry, current = followed.registry, Current(service)
    registry.named["challenger"] = "2"
    log = service_log("json", io.StringIO())
    off = replace(settings, shadow=Shadow.OFF)
    Follower(current, off, Metrics(), log, Clock(), aliases=registry.aliases, resolve=registry.resolve).look()
    assert (registry.fetched, current.snapshot.challenger) == (["1"], None)


PEN = """
import sys
from mlflow import MlflowClient
uri, *sources = sys.argv[1:]
client = MlflowClient(uri, uri)
client.create_registered_model("recoup-retry")
for source in sources:
    client.create_model_version("recoup-retry", source)
for line in sys.stdin:
    alias, version = line.split()
    client.set_registered_model_alias("recoup-retry", alias, version)
    print("done", flush=True)
"""


@pytest.fixture
def with_registry(settings: Settings, tmp_path: Path, make_registry: MakeRegistry) -> Settings:
    return replace(settings, tracking_uri=make_registry(tmp_path), follow_seconds=1, decision_seconds=60.0)


@pytest.fixture
def move(
    with_registry: Settings, artifact: Path, other_artifact: Path, broken: Path
) -> Iterator[Callable[[str], None]]:
    """Moves an alias of a real registry that holds a good model, another, and a broken one."""
    arguments = [sys.executable, "-c", PEN, with_registry.tracking_uri, str(artifact), str(other_artifact), str(broken)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as pen:
        assert pen.stdin is not None
        assert pen.stdout is not None
        given, told = pen.stdin, pen.stdout

        def moved(line: str) -> None:
            given.write(f"{line}\n")
            given.flush()
            assert told.readline() == "done\n"

        yield moved
        given.close()


@pytest.mark.slow
def test_a_service_takes_up_what_a_real_registry_names_without_a_failed_request(
    with_registry: Settings, service: Service, body: bytes, artifact: Path, move: Callable[[str], None]
) -> None:
    with closing(open_ledger(with_registry, service.rulebook)) as ledger:
        app = create_app(with_registry, service=service, ledger=ledger, live=True)
        asyncio.run(_lived(app, body, version(artifact), move))


async def _lived(app: FastAPI, body: bytes, first: str, move: Callable[[str], None]) -> None:
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://recoup") as client,
    ):

        async def until(holds: Callable[[dict[str, object]], object]) -> dict[str, object]:
            last = monotonic() + PATIENCE_SECONDS
            while monotonic() < last:
                asked = (client.post("/v1/decisions", content=body, headers=JSON) for _ in range(3))
                answers = await asyncio.gather(*asked)
                assert [answer.status_code for answer in answers] == [200, 200, 200]
                told: dict[str, object] = (await client.get("/v1/models")).json()
                if holds(told):
                    return told
                await asyncio.sleep(0.5)
            raise AssertionError("it was not taken up")

        assert (await client.get("/v1/models")).json()["policy_source"] == "prior"
        await asyncio.to_thread(move, "champion 1")
        told = await until(lambda told: told["policy_source"] == "model")
        assert (told["version"], told["registered_version"]) == (first, "1")
        await asyncio.to_thread(move, "champion 3")
        told = await until(lambda told: told["not_taken"])
        assert (told["version"], told["registered_version"]) == (first, "1")
        await asyncio.to_thread(move, "challenger 2")
        await until(lambda told: told["challenger"])
        answer = (await client.post("/v1/decisions", content=body, headers=JSON)).json()
        assert (answer["policy_source"], answer["versions"]["model"]) == ("model", first)
