"""Turns rows of a flat export into rows of the attempt history by a mapping; every row is accepted or refused."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.history import FIELDS, SCHEMA
from features.instants import MICROS_PER_HOUR, from_micros
from features.sources.card_scan import rows_with_card_numbers
from features.sources.field_reader import Answer, FieldReader, RawRows, source_cells
from features.sources.mapping import Column, Constant, Mapping, Template
from features.sources.refusal import Fault, Reason, Refusal, fault, not_accepted, sentence
from features.sources.times import looks_like_time

_CARD_NUMBER = Refusal(Reason.CARD_NUMBER, "the token of the stored method")
_EMPTY_KEY = Refusal(Reason.MISSING, "every column of payments.by filled")
_BEFORE_ATTEMPT = not_accepted("an instant not before attempted_at")

Answers = dict[str, list[Answer]]
Faults = dict[int, list[Fault]]


@dataclass(frozen=True, slots=True)
class ReadRows:
    """What became of some raw rows: accepted plus refused equals read.

    Args:
        table: The accepted rows with the columns of `SCHEMA`; where attempts are still to be grouped into
            payments, the ids derived from the payment are null.
        accepted: Positions of the accepted rows among the raw ones, shape (accepted,).
        payment_keys: 128-bit digests of the grouping key, shape (accepted, 2); empty without grouping.
        faults: Every fault of each refused row, by position.
    """

    table: pa.RecordBatch
    accepted: NDArray[np.int64]
    payment_keys: NDArray[np.int64]
    faults: Faults


@dataclass(frozen=True, slots=True)
class Explained:
    """How one field of one row was read."""

    field: str
    column: str
    raw: str
    rule: str
    result: str
    refused: bool


@dataclass(frozen=True, slots=True)
class ExplainedRow:
    """How one row was read; with problems it would be quarantined."""

    line: int
    fields: tuple[Explained, ...]
    problems: tuple[str, ...]


class FlatFile:
    """Reads rows by one mapping. It remembers answers between calls, so keep one for a whole import."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self._readers = [
            FieldReader(mapping.rules[f.name], mapping.shape.empty) for f in FIELDS if f.name in mapping.rules
        ]
        self._time_readers = {
            reader.rule.source.name: reader
            for reader in self._readers
            if reader.field.kind == "instant" and isinstance(reader.rule.source, Column)
        }

    def read(self, rows: RawRows) -> ReadRows:
        """Read every row; see `ReadRows`."""
        answers = self._answers(rows)
        faults = self._faults(rows, answers)
        accepted = np.array([row for row in range(len(rows.lines)) if row not in faults], dtype=np.int64)
        table = _table(answers, len(rows.lines))
        return ReadRows(
            table.take(pa.array(accepted)) if faults else table, accepted, self._payment_keys(rows, accepted), faults
        )

    def explain(self, rows: RawRows) -> list[ExplainedRow]:
        """How each field of each row is read, for people; card numbers are not shown."""
        answers = self._answers(rows)
        faults = self._faults(rows, answers)
        return [
            ExplainedRow(
                line,
                tuple(self._explain_row(rows, answers, faults, row)),
                tuple(map(sentence, faults.get(row, ()))),
            )
            for row, line in enumerate(rows.lines)
        ]

    def _answers(self, rows: RawRows) -> Answers:
        answers: Answers = {}
        in_order = sorted(self._readers, key=lambda reader: reader.field.name != "currency")
        for reader in in_order:
            answers[reader.field.name] = reader.answers(rows, answers.get("currency", []))
        if "attempt_id" not in answers:
            answers["attempt_id"] = [f"{rows.file}:{line:08d}" for line in rows.lines]
        attempted = self.mapping.rules["attempted_at"]
        if "precision" not in answers and attempted.time.is_day_only:
            answers["precision"] = ["day"] * len(rows.lines)
        return answers

    def _faults(self, rows: RawRows, answers: Answers) -> Faults:
        faults: Faults = {}
        for row, found in self._card_numbers(rows):
            faults.setdefault(row, []).append(found)
        for reader in self._readers:
            name, place = reader.field.name, _place(reader)
            if Refusal not in set(map(type, answers[name])):
                continue
            cells = source_cells(reader.rule.source, rows)
            for row, answer in enumerate(answers[name]):
                if isinstance(answer, Refusal):
                    faults.setdefault(row, []).append(fault(name, place, cells[row].strip(), answer))
        for row in self._outcomes_before_attempts(answers):
            faults.setdefault(row, []).append(
                fault("outcome_at", "", _shown(answers["outcome_at"][row], "outcome_at"), _BEFORE_ATTEMPT)
            )
        for column in self.mapping.grouping.by if self.mapping.grouping else ():
            for row, cell in enumerate(rows.columns[column]):
                if not cell.strip():
                    faults.setdefault(row, []).append(fault("payment_id", column, "", _EMPTY_KEY))
        return faults

    def _card_numbers(self, rows: RawRows) -> Iterator[tuple[int, Fault]]:
        for column, cells in rows.columns.items():
            reader = self._time_readers.get(column)
            for row in rows_with_card_numbers(cells):
                if reader is None or not _is_time(reader, cells[row]):
                    yield row, fault("", column, "", _CARD_NUMBER)
        for reader in self._readers:
            if isinstance(reader.rule.source, Template):
                for row in rows_with_card_numbers(source_cells(reader.rule.source, rows)):
                    yield row, fault(reader.field.name, _place(reader), "", _CARD_NUMBER)

    def _outcomes_before_attempts(self, answers: Answers) -> Iterator[int]:
        if "outcome_at" not in answers:
            return
        # A bare date as outcome stands at noon; on the day of the attempt itself it cannot be before it.
        bare = self.mapping.rules["outcome_at"].time.is_day_only
        slack = 13 * MICROS_PER_HOUR if bare else 0
        known = answers["outcome_at"]
        for row, (at, outcome_at) in enumerate(zip(answers["attempted_at"], known, strict=True)):
            if isinstance(at, int) and isinstance(outcome_at, int) and outcome_at < at:
                if outcome_at < at - slack:
                    yield row
                known[row] = at

    def _payment_keys(self, rows: RawRows, accepted: NDArray[np.int64]) -> NDArray[np.int64]:
        if self.mapping.grouping is None:
            return np.empty((0, 2), dtype=np.int64)
        columns = [rows.columns[name] for name in self.mapping.grouping.by]
        return digests(["\x1f".join(column[row].strip() for column in columns) for row in accepted.tolist()])

    def _explain_row(self, rows: RawRows, answers: Answers, faults: Faults, row: int) -> Iterator[Explained]:
        hidden = {found.column for found in faults.get(row, []) if found.refusal.reason is Reason.CARD_NUMBER}
        for reader in self._readers:
            source, name = reader.rule.source, reader.field.name
            raw = "" if isinstance(source, Constant) else source_cells(source, rows)[row]
            if hidden.intersection((*source.columns, str(source))):
                raw = "[card number removed]"
            answer = answers[name][row]
            refused = isinstance(answer, Refusal) or raw == "[card number removed]"
            result = "refused" if refused else _shown(answer, name)
            yield Explained(name, _place(reader), raw, str(reader.rule), result, refused)
        derived = {f.name for f in FIELDS} & answers.keys() - self.mapping.rules.keys()
        for name in sorted(derived):
            yield Explained(name, "", "", "derived", _shown(answers[name][row], name), refused=False)


def digests(texts: Sequence[str]) -> NDArray[np.int64]:
    """128-bit BLAKE2b digests as two integers each, shape (n, 2); equal digests are taken for equal texts."""
    joined = b"".join([hashlib.blake2b(text.encode(), digest_size=16).digest() for text in texts])
    return np.frombuffer(joined, dtype="<i8").reshape(-1, 2).astype(np.int64)


def _is_time(reader: FieldReader, cell: str) -> bool:
    answer = reader.answers(RawRows("", [1], {name: [cell] for name in reader.rule.source.columns}), [])[0]
    return isinstance(answer, int) and looks_like_time(cell)


def _place(reader: FieldReader) -> str:
    return "" if isinstance(reader.rule.source, Constant) else str(reader.rule.source)


def _shown(answer: Answer, field: str) -> str:
    kind = SCHEMA.field(field).type
    if isinstance(answer, int) and pa.types.is_timestamp(kind):
        return from_micros(answer).isoformat()
    return "" if answer is None else str(answer)


def _table(answers: Answers, count: int) -> pa.RecordBatch:
    arrays = [_array(answers.get(f.name), SCHEMA.field(f.name).type, count) for f in FIELDS]
    return pa.RecordBatch.from_arrays(arrays, names=SCHEMA.names)


def _array(answers: list[Answer] | None, kind: pa.DataType, count: int) -> pa.Array:
    if answers is None:
        return pa.nulls(count, kind)
    refused = Refusal in set(map(type, answers))
    values = [None if isinstance(answer, Refusal) else answer for answer in answers] if refused else answers
    return pa.array(values, pa.int64()).view(kind) if pa.types.is_timestamp(kind) else pa.array(values, kind)
