"""Reads the report of an experiment out of a ledger; run as a program, for one merchant, as the service asks for it.

The program takes a `Wanted` on its standard input and answers with the facts, or with the sentence that refuses them.
"""

import os
import sys
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime

import orjson

from experiments.definition import Definition
from experiments.report import Report, report_of
from experiments.report_facts import Facts, facts_of
from features.errors import RecoupError
from model.economics import Economics
from serving.experiment_outcomes import observed
from serving.ledger.migrate import require_current
from serving.ledger.opening import store_at
from serving.ledger.store import Store
from serving.service import economics_of
from serving.settings import settings_from
from serving.wanted_reports import Wanted

_GIVES_WAY = 10


def read_report(
    store: Store, definition: Definition, economics: Economics, as_of: datetime, merchant_id: str | None = None
) -> Report:
    """What may be read of an experiment at an instant, of one merchant's payments or of all.

    Raises:
        InputError: The ledger cannot be reached, or is of another version.
        InvalidValueError: The definition cannot be analysed, or a currency has no rate.
    """
    require_current(store)
    payments = observed(store, definition, as_of, merchant_id)
    return report_of(definition, payments, economics, as_of, merchant_id)


def facts_for(wanted: Wanted, economics: Economics) -> Facts:
    """The facts of a merchant's report.

    Raises:
        InputError, InvalidValueError: As for `read_report`.
    """
    with closing(store_at(wanted.database)) as store:
        return facts_of(read_report(store, wanted.definition, economics, wanted.as_of, wanted.merchant_id))


def answered(asked: bytes, environment: Mapping[str, str]) -> bytes:
    """The facts that a `Wanted` asks for, or why there are none."""
    settings = settings_from(environment)
    told: dict[str, object]
    try:
        told = {"facts": facts_for(Wanted.from_json(asked, settings.database), economics_of(settings))}
    except RecoupError as error:
        told = {"refused": str(error)}
    return orjson.dumps(told)


def main() -> None:
    """One report, from standard input to standard output."""
    os.nice(_GIVES_WAY)
    sys.stdout.buffer.write(answered(sys.stdin.buffer.read(), os.environ))


if __name__ == "__main__":
    main()
