"""What callers make up fills no memory: a cache without an end is keyed by what there are few of."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import experiments
import features
import model
import serving
from features.declines.lookup import own_tables
from features.declines.taxonomy import classify
from features.vocabulary import Network

FEW = {
    "features.declines.lookup.network_tables": "networks",
    "features.declines.reading.load_table": "files that are shipped",
    "features.markets.market": "countries, two capitals at every door",
    "features.money.minor_digits": "currencies; what is none is not remembered",
    "features.table_of_contexts._words_of": "classes",
    "features.time_zones.transitions": "zones of the tz database",
    "features.time_zones.zone": "zones of the tz database; what is none is not remembered",
    "model.contributions._explains": "classes",
    "model.scorer._is_supposing": "classes",
    "model.slots._step": "zones of the tz database",
    "model.wording.country_words": "countries, two capitals at every door",
    "serving.client.codec._hints": "classes",
    "serving.client.codec._required": "classes",
    "serving.client.codec._words": "classes",
    "serving.ledger.migrate.migrations": "dialects",
    "serving.ledger.store.statements": "dialects",
    "serving.requests._shapes": "classes",
}


def _without_end() -> Iterator[str]:
    for package in (features, model, experiments, serving):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.endswith("__main__"):
                continue
            for name, value in vars(importlib.import_module(found.name)).items():
                parameters = getattr(value, "cache_parameters", None)
                if parameters is None or value.__module__ != found.name or parameters()["maxsize"] is not None:
                    continue
                if inspect.signature(value).parameters:
                    yield f"{found.name}.{name}"


def test_only_what_there_are_few_of_is_remembered_without_end() -> None:
    assert sorted(_without_end()) == sorted(FEW)


def test_made_up_processors_push_each_other_out() -> None:
    most = own_tables.cache_parameters()["maxsize"]
    for number in range(most + 10):
        classify(f"made up {number}", processor=f"processor {number}", network=Network.VISA)
    assert own_tables.cache_info().currsize == most
