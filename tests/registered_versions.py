"""Versions in a registry as training leaves them, without the models themselves."""

from training.tracking import Tracking, connect


def register(tracking: Tracking, hashed: str, slope: float = 1.0, columns: str = "same") -> str:
    """A run with its slope and a version that passed its gate; the version's number."""
    client, experiment = connect(tracking)
    run = client.create_run(experiment)
    for name, value in (("slope", slope), ("slope_low", slope - 0.05), ("slope_high", slope + 0.05)):
        client.log_metric(run.info.run_id, f"test/{name}", value)
    if not client.search_registered_models(f"name = '{tracking.model_name}'"):
        client.create_registered_model(tracking.model_name)
    tags = {"recoup.model_version": hashed, "recoup.gate": "passed", "recoup.columns": columns}
    made = client.create_model_version(tracking.model_name, f"models/{hashed}", run_id=run.info.run_id, tags=tags)
    return str(made.version)
