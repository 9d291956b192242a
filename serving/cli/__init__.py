"""The command line: one verb a job. Every refusal is one sentence on standard error and exit code 2.

A command module imports heavy libraries inside its command, so that `recoup --help` is instant.
"""

import os
import sys
from pathlib import Path

import typer

from features.card_number import mask_card_numbers
from features.errors import RecoupError
from serving.cli import (
    caps,
    decide,
    declines,
    demo,
    evaluate,
    events,
    experiment,
    features,
    import_history,
    keys,
    ledger,
    life,
    merchants,
    monitor,
    openapi,
    replay,
    rulebook,
    serve,
    shadow,
    simulate,
    stop,
    train,
    tune,
    webhooks,
)

EXIT_REFUSED = 2

app = typer.Typer(
    name="recoup",
    help="Decide when, with which method and through which processor to retry a failed payment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

# One line a verb, in the order in which a newcomer needs them.
app.command("demo")(demo.demo)
app.command("import")(import_history.import_history)
app.command("simulate")(simulate.simulate)
app.command("train")(train.train)
app.command("tune")(tune.tune)
app.command("evaluate")(evaluate.evaluate)
app.command("promote")(life.promote)
app.command("rollback")(life.rollback)
app.command("status")(life.status)
app.command("monitor")(monitor.monitor)
app.command("shadow")(shadow.shadow)
app.command("decide")(decide.decide)
app.command("replay")(replay.replay)
app.command("serve")(serve.serve)
app.command("stop")(stop.stop)
app.command("resume")(stop.resume)
app.add_typer(merchants.app, name="merchants")
app.add_typer(keys.app, name="keys")
app.add_typer(ledger.app, name="ledger")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(events.app, name="events")
app.add_typer(experiment.app, name="experiment")
app.add_typer(caps.app, name="caps")
app.add_typer(rulebook.app, name="rulebook")
app.add_typer(declines.app, name="declines")
app.add_typer(features.app, name="features")
app.command("openapi")(openapi.openapi)


# Libraries that would otherwise report home, or write settings into the user's home.
_KEPT_AT_HOME = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MPLCONFIGDIR": str(Path.home() / ".cache" / "matplotlib"),
}


def main() -> None:
    """Run the command line; foreseen refusals end in one sentence, never a traceback."""
    for name, value in _KEPT_AT_HOME.items():
        os.environ.setdefault(name, value)
    try:
        if os.environ.get("RECOUP_DECLINES"):
            _use_merchant_codes()
        app()
    except RecoupError as error:
        sys.stderr.write(f"recoup: {mask_card_numbers(str(error))}\n")
        raise SystemExit(EXIT_REFUSED) from None


def _use_merchant_codes() -> None:
    """Every verb reads decline codes as the service does."""
    from serving.merchant_rules import use_merchant_codes
    from serving.settings import settings_from

    use_merchant_codes(settings_from(os.environ))
