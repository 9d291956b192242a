"""Reads metrics as Prometheus does, for tests."""

from prometheus_client.parser import text_string_to_metric_families

from api_builders import Api

Labels = dict[str, str]


def counted(text: str, name: str) -> list[tuple[Labels, float]]:
    """The samples by a name that count something."""
    return [
        (sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and sample.value
    ]


def read(api: Api) -> str:
    """The metrics of a service, which anybody may read here."""
    response = api.send("GET", "/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    return response.text
