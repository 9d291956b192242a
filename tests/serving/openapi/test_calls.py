"""Whatever the published description allows or forbids, the service answers as it is described.

Schemathesis makes the requests: good ones, bad ones, and ways along the links. `HTTP_EXAMPLES` says how many of each;
`make fuzz-http` asks for many, and for other ones every time.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from jsonschema_rs import is_valid
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import negative_data_rejection

from api_builders import Document, past
from serving.ledger_access import open_ledger
from serving.service import Service
from serving.settings import Settings
from serving.tenancy.keys import EVERY_MERCHANT, Scope
from tenants import Tenants, tenants_of

PUBLISHED = Path(__file__).parents[3] / "docs" / "openapi.json"
SAME = settings.get_current_profile_name() == "same"
EXAMPLES = int(os.environ.get("HTTP_EXAMPLES", "3"))
# What fields say together, such as an attempt on one of the listed methods, a schema cannot say: such a request is
# good by its schema and refused with 422.
ACCEPTED = ["2xx", "401", "403", "404", "409", "422", "429"]
# The call is taken, and the entry that breaks the schema is refused in its place in the answer.
ANSWERED_ONE_BY_ONE = {"/v1/decisions/batch"}
PATIENCE_S = 600
CONFIG = {
    "generation": {"deterministic": SAME, "max-examples": EXAMPLES, "database": "none"},
    "checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}},
    "suppress-health-check": ["all"],
}
if SAME:
    CONFIG["seed"] = 1
Case = schemathesis.Case[Any]
schema = schemathesis.openapi.from_path(PUBLISHED, config=SchemathesisConfig.from_dict(CONFIG))


@schemathesis.serializer("application/x-ndjson")
def lines(context: schemathesis.SerializationContext, value: object) -> bytes:
    """A body of lines as it is sent."""
    return str(value).encode()


@pytest.fixture
def tenants(tmp_path: Path, service: Service) -> Iterator[Tenants]:
    places = Settings(home=tmp_path, database=f"sqlite:///{tmp_path}/ledger.db?synchronous=normal", log_format="json")
    made = tenants_of(places, service, open_ledger(places, service.rulebook))
    yield made
    asgi.shutdown_lifespans()


@schema.parametrize()
def test_every_answer_is_one_that_is_described(case: Case, tenants: Tenants) -> None:
    case.operation.schema.app = case.operation.app = tenants.api.app
    # Some are of thousands of entries, each of which is answered.
    response = case.call(headers=key_of(tenants), timeout=PATIENCE_S)
    case.validate_response(response, excluded_checks=pointless(case, response))


def test_every_way_that_the_links_lead_is_answered_as_it_is_described(tenants: Tenants, failed: Document) -> None:
    linked = schema.exclude(path_regex="^/v1/admin")
    linked.app, headers, followed = tenants.api.app, key_of(tenants), Counter[str]()
    for event in past(3):
        tenants.of(EVERY_MERCHANT).post("/v1/attempts", event)

    class Ways(linked.as_state_machine()):  # type: ignore[misc]  # a class that is made from the document
        """Begins with payments that have a retry to reserve, of which most made ones have none."""

        def before_call(self, case: Case) -> None:
            case.operation.app = tenants.api.app
            is_good = case.meta is None or case.meta.generation.mode is GenerationMode.POSITIVE
            if is_good and case.operation.label == "POST /v1/decisions":
                case.body = failed | {"reserve": True}

        def get_call_kwargs(self, case: Case) -> dict[str, object]:
            return {"headers": headers}

        def after_call(self, response: schemathesis.Response, case: Case) -> None:
            if response.status_code == 200:
                followed[case.operation.label] += 1

        def validate_response(self, response: schemathesis.Response, case: Case, **_: object) -> None:
            case.validate_response(response, excluded_checks=pointless(case, response), recorder=self.recorder)

    quiet = settings(
        max_examples=8 * EXAMPLES,
        stateful_step_count=6,
        derandomize=SAME,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    Ways.run(settings=quiet)
    assert followed, "nothing that was asked along the way was answered"


def pointless(case: Case, response: schemathesis.Response) -> list[Any]:
    """Checks that make no sense of an answer.

    A bad request has to be refused, but neither where each entry is answered by itself nor if it left as a good one.
    """
    one_by_one = case.operation.path in ANSWERED_ONE_BY_ONE
    return [negative_data_rejection] if one_by_one or left_as_a_good_one(case, response) else []


def left_as_a_good_one(case: Case, response: schemathesis.Response) -> bool:
    """Whether only parameters were made badly, and what was sent of them is as it is described.

    A good key is sent whatever was made of it. In an address a list of one word is that word, and a parameter without a
    value is none.
    """
    mutations = () if case.meta is None else case.meta.phase.data.mutations
    if not mutations or {each.parameter_location for each in mutations} - {
        ParameterLocation.HEADER,
        ParameterLocation.QUERY,
    }:
        return False
    query = parse_qsl(urlsplit(str(response.request.url)).query, keep_blank_values=True)
    header = [(one.name, response.request.headers.get(one.name)) for one in case.operation.headers]
    sent = [*query, *((name, text) for name, text in header if text is not None and name != "Authorization")]
    known = {one.name: one for one in (*case.operation.query, *case.operation.headers)}
    needed = {name for name, one in known.items() if one.is_required and name != "Authorization"}
    names = [name for name, _ in sent]
    whole = len(set(names)) == len(names) and needed <= set(names) <= known.keys()
    return whole and all(is_described(known[name].unoptimized_schema, str(text)) for name, text in sent)


def is_described(described: Any, text: str) -> bool:
    """Whether a word in an address or a header is good by its schema, as a text or as the number that it says."""
    return is_valid(described, text) or (text.isdecimal() and is_valid(described, int(text)))


def key_of(tenants: Tenants) -> dict[str, str]:
    return {"Authorization": f"Bearer {tenants.keys[EVERY_MERCHANT, Scope.ADMIN].secret}"}
