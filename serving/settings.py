"""What the service is told from outside, read once from the environment and handed down."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path

from features.errors import InvalidValueError

MODEL_NAME = "recoup-retry"
LOG_FORMATS = ("auto", "json", "console")
_LONGEST_DRAIN = 300
_LONGEST_DECISION = _LONGEST_FOR_THE_LEDGER = 60
_LONGEST_PAUSE = 3_600
_LONGEST_REPORT = 86_400
_MOST_DAYS = 36_500

# What Kubernetes tells every pod about a Service whose name begins with recoup; RECOUP_PORT=8080 is still refused.
_SERVICE = re.compile(
    r"RECOUP_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_PROTO|_PORT|_ADDR)?)=.*"
    r"|RECOUP_(\w+_)?PORT=(tcp|udp|sctp)://.*"
)


class Auth(StrEnum):
    """Whether callers are asked for API keys."""

    AUTO = "auto"  # once there are keys; without any, only this machine may reach the service
    ON = "on"
    OFF = "off"  # only where nobody but this machine can reach the service


class MetricsAccess(StrEnum):
    """Who may read the metrics of a service that asks for keys."""

    KEYED = "keyed"  # an operator's key
    OPEN = "open"  # whoever reaches the service; where only the scraper does


class Shadow(StrEnum):
    """Whether a challenger is asked what it would have decided."""

    ON = "on"  # after the reply, one decision at a time
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the service and the commands take from their surroundings; docs/settings.md is its table.

    Args:
        home: Folder of everything Recoup keeps: ledger, tracking database, artifacts, reports, sandboxes, the demo.
        model: Folder of one model artifact to answer with; None looks the champion up in the registry.
        tracking_uri: MLflow tracking server or database that holds the registry.
        model_alias: Alias of the registered model that answers.
        challenger_alias: Alias of the registered model that is asked in shadow.
        shadow: Whether it is.
        follow_seconds: How often the aliases are looked at; 0 looks once, at start.
        model_max_age_days: For how long a model answers after the last decision it was judged on; None for ever.
        decision_seconds: Within how long a service answers a decision, by a simpler policy if need be.
        economics: TOML file of the merchant's own figures over the shipped ones; None takes the shipped ones.
        rulebook: TOML file of the merchant's settings of the rulebook; None takes the rules as shipped.
        declines: TOML file of the merchant's own decline codes; None takes the shipped tables only.
        webhooks: TOML file of who may deliver webhooks, with which secrets; None takes none in.
        event_targets: TOML file of where events are sent to, signed with which secrets; None sends none.
        experiments: Folder of the definitions of experiments; None runs none.
        report_seconds: For how long a report of an experiment is answered before it is computed again.
        max_body_bytes: A longer request body is refused before it is parsed.
        database: Database of the ledger, `sqlite:///PATH` or `postgresql://…`.
        ledger_seconds: How long the service waits for the ledger before it refuses what it was asked.
        decisions_kept_days: How long decisions are kept, to be explained and computed again.
        auth: Whether callers are asked for API keys.
        metrics: Who may read the metrics where keys are asked for.
        drain_seconds: How long it still answers after it was told to stop, with /ready saying that it is leaving.
        log_format: `json`, `console`, or `auto` (console on a terminal, else json).
    """

    home: Path = Path(".recoup")
    model: Path | None = None
    tracking_uri: str = "sqlite:///.recoup/mlflow.db"
    model_alias: str = "champion"
    challenger_alias: str = "challenger"
    shadow: Shadow = Shadow.ON
    follow_seconds: int = 3
    model_max_age_days: int | None = None
    decision_seconds: float = 2.0
    economics: Path | None = None
    rulebook: Path | None = None
    declines: Path | None = None
    webhooks: Path | None = None
    event_targets: Path | None = None
    experiments: Path | None = None
    report_seconds: int = 600
    max_body_bytes: int = 1_000_000
    database: str = "sqlite:///.recoup/ledger.db"
    ledger_seconds: float = 5.0
    decisions_kept_days: int = 400
    auth: Auth = Auth.AUTO
    metrics: MetricsAccess = MetricsAccess.KEYED
    drain_seconds: int = 0
    log_format: str = "auto"


# The environment variable of each setting; `MLFLOW_TRACKING_URI` keeps the name that MLflow itself reads.
VARIABLES: Mapping[str, str] = {
    "home": "RECOUP_HOME",
    "model": "RECOUP_MODEL",
    "tracking_uri": "MLFLOW_TRACKING_URI",
    "model_alias": "RECOUP_MODEL_ALIAS",
    "challenger_alias": "RECOUP_CHALLENGER_ALIAS",
    "shadow": "RECOUP_SHADOW",
    "follow_seconds": "RECOUP_FOLLOW_SECONDS",
    "model_max_age_days": "RECOUP_MODEL_MAX_AGE_DAYS",
    "decision_seconds": "RECOUP_DECISION_SECONDS",
    "economics": "RECOUP_ECONOMICS",
    "rulebook": "RECOUP_RULEBOOK",
    "declines": "RECOUP_DECLINES",
    "webhooks": "RECOUP_WEBHOOKS",
    "event_targets": "RECOUP_EVENT_TARGETS",
    "experiments": "RECOUP_EXPERIMENTS",
    "report_seconds": "RECOUP_REPORT_SECONDS",
    "max_body_bytes": "RECOUP_MAX_BODY_BYTES",
    "database": "RECOUP_DATABASE_URL",
    "ledger_seconds": "RECOUP_LEDGER_SECONDS",
    "decisions_kept_days": "RECOUP_DECISIONS_KEPT_DAYS",
    "auth": "RECOUP_AUTH",
    "metrics": "RECOUP_METRICS",
    "drain_seconds": "RECOUP_DRAIN_SECONDS",
    "log_format": "RECOUP_LOG_FORMAT",
}


def settings_from(environment: Mapping[str, str]) -> Settings:
    """The settings that the environment asks for; an empty variable counts as absent.

    Raises:
        InvalidValueError: A variable holds something it may not hold, or one starting with RECOUP_ is not known.
    """
    _refuse_unknown(environment)
    given = {name: environment[variable] for name, variable in VARIABLES.items() if environment.get(variable)}
    home = Path(given.get("home", ".recoup"))
    return Settings(
        home=home,
        model=_path(given.get("model")),
        tracking_uri=given.get("tracking_uri", f"sqlite:///{home / 'mlflow.db'}"),
        model_alias=given.get("model_alias", "champion"),
        challenger_alias=given.get("challenger_alias", "challenger"),
        shadow=Shadow(_one_of("RECOUP_SHADOW", given.get("shadow", Shadow.ON), tuple(Shadow))),
        follow_seconds=_seconds("RECOUP_FOLLOW_SECONDS", given.get("follow_seconds", "3"), _LONGEST_PAUSE),
        model_max_age_days=_days_or_none("RECOUP_MODEL_MAX_AGE_DAYS", given.get("model_max_age_days")),
        decision_seconds=_time("RECOUP_DECISION_SECONDS", given.get("decision_seconds", "2"), _LONGEST_DECISION),
        economics=_path(given.get("economics")),
        rulebook=_path(given.get("rulebook")),
        declines=_path(given.get("declines")),
        webhooks=_path(given.get("webhooks")),
        event_targets=_path(given.get("event_targets")),
        experiments=_path(given.get("experiments")),
        report_seconds=_seconds("RECOUP_REPORT_SECONDS", given.get("report_seconds", "600"), _LONGEST_REPORT),
        max_body_bytes=_whole("RECOUP_MAX_BODY_BYTES", given.get("max_body_bytes", "1000000")),
        database=given.get("database", f"sqlite:///{home / 'ledger.db'}"),
        ledger_seconds=_time("RECOUP_LEDGER_SECONDS", given.get("ledger_seconds", "5"), _LONGEST_FOR_THE_LEDGER, "2.5"),
        decisions_kept_days=_days("RECOUP_DECISIONS_KEPT_DAYS", given.get("decisions_kept_days", "400")),
        auth=Auth(_one_of("RECOUP_AUTH", given.get("auth", Auth.AUTO), tuple(Auth))),
        metrics=MetricsAccess(
            _one_of("RECOUP_METRICS", given.get("metrics", MetricsAccess.KEYED), tuple(MetricsAccess))
        ),
        drain_seconds=_seconds("RECOUP_DRAIN_SECONDS", given.get("drain_seconds", "0"), _LONGEST_DRAIN),
        log_format=_one_of("RECOUP_LOG_FORMAT", given.get("log_format", "auto"), LOG_FORMATS),
    )


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables that make `settings_from` give these settings again, for a worker process."""
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    return {VARIABLES[name]: str(value) for name, value in values.items() if value is not None}


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = sorted(name for name in VARIABLES.values() if name.startswith("RECOUP_"))
    for name, value in environment.items():
        if name.startswith("RECOUP_") and name not in known and not _SERVICE.fullmatch(f"{name}={value}"):
            raise InvalidValueError("environment", name, f"one of {', '.join(known)}")


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _whole(variable: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise InvalidValueError(variable, text, "a whole number above zero")
    return int(text)


def _days(variable: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= _MOST_DAYS:
        raise InvalidValueError(variable, text, f"whole days, 1 to {_MOST_DAYS:,}")
    return int(text)


def _seconds(variable: str, text: str, longest: int) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > longest:
        raise InvalidValueError(variable, text, f"whole seconds, 0 to {longest}")
    return int(text)


def _days_or_none(variable: str, text: str | None) -> int | None:
    return None if text is None else _days(variable, text)


def _time(variable: str, text: str, longest: int, example: str = "0.5") -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds <= longest:
        raise InvalidValueError(variable, text, f"seconds above 0, at most {longest}, for example {example}")
    return seconds


def _one_of(variable: str, word: str, words: tuple[str, ...]) -> str:
    if word not in words:
        raise InvalidValueError(variable, word, f"one of {', '.join(words)}")
    return word
