"""The attempt history: one row an attempt, the one input of training and of counting.

This file is the single statement of the format. The importer writes it, the simulator writes it, training
and the ledger read it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import pyarrow as pa

from features.errors import InputError
from features.vocabulary import Credential, Funding, Initiator, Network, Outcome, Precision, Rail

FORMAT_VERSION = 1

Kind = Literal["text", "instant", "date", "whole", "number", "flag", "word"]

_ARROW: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "instant": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "whole": pa.int64(),
    "number": pa.float64(),
    "flag": pa.bool_(),
    "word": pa.string(),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One column of the history.

    Args:
        kind: `word` is one of `words`; `whole` an integer; `instant` UTC with microseconds.
        required: Never null.
        meaning: One line for people.
        words: The closed list, for kind `word`.
        example: A value as it would stand in a file.
    """

    name: str
    kind: Kind
    required: bool
    meaning: str
    example: str
    words: type[StrEnum] | None = None


FIELDS: tuple[Field, ...] = (
    Field("attempt_id", "text", True, "identifies the attempt; unique for its merchant", "ch_1001"),
    Field("payment_id", "text", True, "the obligation the attempt tries to collect", "inv_42"),
    Field("merchant_id", "text", True, "who is owed", "acme"),
    Field("customer_id", "text", True, "who owes", "cus_7"),
    Field("method_id", "text", True, "token of the stored instrument; never a card number", "pm_3"),
    Field("rail", "word", True, "how money moves", "card", Rail),
    Field("processor", "text", True, "who carried the attempt", "stripe"),
    Field("amount_minor", "whole", True, "amount in minor units, above zero", "1250"),
    Field("currency", "text", True, "ISO 4217 in capitals", "EUR"),
    Field("attempted_at", "instant", True, "when the attempt was made", "2026-11-23T10:15:00Z"),
    Field("outcome", "word", True, "what came of it", "declined", Outcome),
    Field("outcome_at", "instant", False, "when the outcome became known; else attempted_at", "2026-11-23T10:15:00Z"),
    Field("precision", "word", False, "day where only the date of attempted_at is known", "instant", Precision),
    Field("network", "word", False, "whose rules govern the attempt", "visa", Network),
    Field("issuer_id", "text", False, "the issuing bank as your data names it", "DE-SPK-01"),
    Field("issuer_bin", "text", False, "first six to eight digits of the card; never more", "41111111"),
    Field("issuer_country", "text", False, "ISO 3166-1 alpha-2 of the issuer", "DE"),
    Field("issuer_time_zone", "text", False, "IANA zone of the issuer; else the country's main zone", "Europe/Berlin"),
    Field("funding", "word", False, "where a card's money comes from", "debit", Funding),
    Field("expires_on", "date", False, "last day the credential is valid", "2027-05-31"),
    Field("credential", "word", False, "form of the stored credential", "network_token", Credential),
    Field("mandate_id", "text", False, "mandate of a debit", "mandate_9"),
    Field("market", "text", False, "your own market label, usually the country", "DE"),
    Field("initiator", "word", False, "who started it; merchant if absent", "merchant", Initiator),
    Field("code", "text", False, "raw decline code as it came", "51"),
    Field("subcode", "text", False, "second raw code that came with it", "AM04"),
    Field("advice_code", "text", False, "Mastercard merchant advice code", "24"),
    Field("purpose", "text", False, "what the payment is for", "subscription"),
    Field("three_d_secure", "flag", False, "whether the payer was authenticated", "false"),
    Field("customer_since", "date", False, "day the customer joined", "2024-02-01"),
    Field("attempt_fee_minor", "whole", False, "what this attempt cost, in minor units of its currency", "5"),
    Field("due_at", "instant", False, "when the payment first fell due", "2026-11-20T00:00:00Z"),
    Field("policy", "text", False, "name of the policy that chose the attempt", "fixed-1-3-5-7"),
    Field("propensity", "number", False, "probability with which that policy chose this action, in (0, 1]", "0.04"),
    Field("experiment", "text", False, "key of the experiment the payment was in", "retry-hour"),
    Field("variant", "text", False, "arm of the experiment", "treatment"),
)  # fmt: skip

BY_NAME = {field.name: field for field in FIELDS}
REQUIRED = tuple(field.name for field in FIELDS if field.required)

SCHEMA = pa.schema(
    [pa.field(f.name, _ARROW[f.kind], nullable=not f.required) for f in FIELDS],
    metadata={"recoup_history": str(FORMAT_VERSION)},
)


def require_history(name: str, schema: pa.Schema, columns: Sequence[str] = REQUIRED) -> None:
    """Refuse what is no attempt history of this format.

    Args:
        name: Of the file, for the message.
        columns: Those without which the reader cannot do.

    Raises:
        InputError: A column is missing, or the format is of another version.
    """
    missing = [column for column in columns if column not in schema.names]
    if missing:
        raise InputError(
            f"{name}: is not an attempt history; it has no column {missing[0]} "
            f"({len(missing)} of {len(columns)} needed are missing); `recoup import` makes one"
        )
    version = (schema.metadata or {}).get(b"recoup_history", str(FORMAT_VERSION).encode()).decode()
    if version != str(FORMAT_VERSION):
        raise InputError(f"{name}: history format {version}; this version of Recoup reads format {FORMAT_VERSION}")
