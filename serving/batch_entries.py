"""Entries of a batch: requests for decisions, each answered by itself, under a key of its own where it has one.

Entries are worked on one after another in one thread. What they have to write before they are answered is written for
all of them in one transaction: the decisions, and the answers under keys.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from time import monotonic, perf_counter, sleep

import orjson
from structlog.typing import FilteringBoundLogger

from features.errors import RecoupError
from serving.errors import MEDIA_TYPE, FieldError, Kind, RequestError, invalid_request
from serving.fairness import Fairness
from serving.idempotency import held_name, is_answered_anew, usable_claim, usable_key
from serving.ledger import answered as keys
from serving.ledger.answered import Answer, Asked, Claim, Taken
from serving.ledger.recording import put_together
from serving.ledger.store import Question
from serving.ledger_access import LedgerAccess, LedgerUnavailableError
from serving.ledger_answers import with_reservation
from serving.problems import refusal_of
from serving.requests import parse_request, tree_in
from serving.reserving import Decided, count, decided_here
from serving.tenancy.caller import Caller, refuse_others
from serving.trust.current import Current

KEY = "idempotency_key"
PATH = "/v1/decisions/batch"
PATIENCE_S = 5.0
"""So long an entry waits for another one under its key, which a neighbour may be working on."""
_GLANCE_S = 0.02
_JSON = "application/json"
_OK = 200
_BATCH = f"POST\n{PATH}\n".encode()


def _refusal(error: RecoupError) -> Answer:
    found = refusal_of(error, PATH)
    return Answer(found.status_code, MEDIA_TYPE, bytes(found.body))


_FAILURE = _refusal(RequestError(Kind.INTERNAL, "The service failed on this entry"))


@dataclass(slots=True)
class _Entry:
    """An entry on its way to its answer.

    Args:
        body: Without its key.
        key: None where it has none.
        claim: The right to work on what was asked under the key.
        made: What was decided, and the seconds that it took.
        unwritten: What keeps the decision, to be written before it is answered.
    """

    number: int
    body: bytes
    key: str | None = None
    claim: Claim | None = None
    made: tuple[Decided, float] | None = None
    unwritten: Question | None = None
    answer: Answer | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Answering:
    """What answers the entries of one call."""

    caller: Caller
    current: Current
    access: LedgerAccess
    clock: Callable[[], datetime]
    log: FilteringBoundLogger
    fairness: Fairness

    async def answer(self, first: int, entries: Sequence[bytes]) -> list[bytes]:
        """The answer to each entry; a refusal is one too, and so is a failure, which spoils no other entry.

        Args:
            first: The number of the first.
        """
        return await self.access.in_thread(lambda: self.answers(first, entries))

    def answers(self, first: int, entries: Sequence[bytes]) -> list[bytes]:
        """The same in the thread of whoever asks."""
        found = [self._read(first + place, entry) for place, entry in enumerate(entries)]
        for run in _without_repeated_keys(found):
            busy, until = self._worked_on(run), monotonic() + PATIENCE_S
            while busy and monotonic() < until:  # whoever waits holds no other key meanwhile
                sleep(_GLANCE_S)
                busy = self._worked_on(busy)
        return [_line(entry) for entry in found]

    def _worked_on(self, entries: Sequence[_Entry]) -> list[_Entry]:
        """Answer entries; those under keys that somebody works on are refused for now, and given back."""
        try:
            busy = self._claim(entries)
            self._decide_each(entries)
            self._keep(entries)
        except Exception:
            self.log.exception("entries failed", first=entries[0].number, entries=len(entries))
            for entry in entries:
                entry.answer = _FAILURE
            return []
        return busy

    def refused(self, number: int, error: RecoupError) -> bytes:
        """The answer to an entry that is refused."""
        return _line(_Entry(number, b"", answer=_refusal(error)))

    def _read(self, number: int, entry: bytes) -> _Entry:
        try:
            return _Entry(number, *keyed(entry))
        except RecoupError as error:
            return _Entry(number, b"", answer=_refusal(error))
        except Exception:
            self.log.exception("an entry failed", entry=number)
            return _Entry(number, b"", answer=_FAILURE)

    def _claim(self, entries: Sequence[_Entry]) -> list[_Entry]:
        """Take up what is asked under keys, or answer it as before; those that somebody works on are given back."""
        asked = {
            Asked(self.caller.merchant_id, entry.key, sha256(_BATCH + entry.body).hexdigest()): entry
            for entry in entries
            if entry.key is not None
        }
        if not asked:
            return []
        try:
            now = self.clock()
            found = self.access.ask_here(lambda ledger: keys.claim_each(ledger.store, tuple(asked), now))
        except RecoupError as error:
            for entry in asked.values():
                entry.answer = _refusal(error)
            return []
        for one, entry in asked.items():
            try:
                claim = usable_claim(found[one])
            except RecoupError as error:
                entry.answer = _refusal(error)
                continue
            if isinstance(claim, Answer):
                entry.answer, entry.replayed = claim, True
            else:
                entry.answer, entry.claim = None, claim
        return [entry for one, entry in asked.items() if found[one] is Taken.IN_PROGRESS]

    def _decide_each(self, entries: Sequence[_Entry]) -> None:
        """Decide what is not answered yet; once the ledger fails, the rest is refused too: each would wait for long."""
        failed: Answer | None = None
        for entry in entries:
            if entry.answer is not None:
                continue
            if failed is not None:
                entry.answer = failed
                continue
            try:
                self._decide(entry)
            except LedgerUnavailableError as error:
                entry.answer = failed = _refusal(error)

    def _decide(self, entry: _Entry) -> None:
        began = perf_counter()
        try:
            asked = parse_request(entry.body)
            refuse_others(self.caller, asked.payment.merchant_id, field="payment.merchant_id")
            held_as = None if entry.claim is None else held_name(entry.claim, asked.payment.payment_id)
            service = self.current.service.for_request(asked.within_ms)
            with self.fairness.turn_here(asked, self.caller, service):
                decided, entry.unwritten = decided_here(asked, service, self.access, self.clock(), held_as)
            body = with_reservation(decided.answer, decided.reservation) if asked.reserve else decided.answer
            entry.made, entry.answer = (decided, perf_counter() - began), Answer(_OK, _JSON, body)
        except LedgerUnavailableError:
            raise
        except RecoupError as error:
            entry.answer = _refusal(error)
        except Exception:
            self.log.exception("an entry failed", entry=entry.number)
            entry.answer = _FAILURE

    def _keep(self, entries: Sequence[_Entry]) -> None:
        """Write what was decided, with the answers under keys; what cannot be kept is refused.

        Where only an answer cannot be kept, what was done is done: asked again, the same ids come of it.
        """
        try:
            self._write(entries)
        except RecoupError as error:
            lost = [entry for entry in entries if entry.unwritten is not None]
            for entry in lost:
                entry.made, entry.answer = None, _refusal(error)
            claimed = [keys.left_again(entry.claim) for entry in lost if entry.claim]
            with suppress(RequestError):  # which are free by themselves after a while
                self.access.ask_here(lambda ledger: put_together(ledger.store, claimed))
        for entry in entries:
            if entry.made is not None:
                count(entry.made[0], self.access.metrics, entry.made[1])

    def _write(self, entries: Sequence[_Entry]) -> None:
        unwritten = [entry.unwritten for entry in entries if entry.unwritten is not None]
        claimed, now = [(entry.claim, entry.answer) for entry in entries if entry.claim and entry.answer], self.clock()
        under_keys = [
            keys.left_again(claim) if is_answered_anew(answer.status) else keys.kept_answer(claim, answer, now)
            for claim, answer in claimed
        ]
        if under_keys:
            self.access.ask_here(lambda ledger: put_together(ledger.store, [*unwritten, *under_keys]))
        elif unwritten:
            self.access.ask_here(lambda ledger: ledger.together.write(*unwritten))


def keyed(entry: bytes) -> tuple[bytes, str | None]:
    """An entry without its idempotency key, and the key; without a key it stays as it is.

    Raises:
        RequestError: The entry is not JSON, or nested too deep, or its key is not one.
        CardNumberError: It looks like a card number.
    """
    if b'"' + KEY.encode() + b'"' not in entry:
        return entry, None
    tree = tree_in(entry)
    if not isinstance(tree, dict) or KEY not in tree:
        return entry, None
    key = tree.pop(KEY)
    if not isinstance(key, str):
        raise invalid_request((FieldError(KEY, type(key).__name__, "text of your own, such as a UUID"),))
    return orjson.dumps(tree, option=orjson.OPT_SORT_KEYS), usable_key(key, KEY)


def _without_repeated_keys(entries: Sequence[_Entry]) -> Iterator[list[_Entry]]:
    """The entries in runs, so that what was asked under a key is kept when the same key comes again."""
    run: list[_Entry] = []
    seen: set[str] = set()
    for entry in entries:
        if entry.key in seen:
            yield run
            run, seen = [], set()
        if entry.key is not None:
            seen.add(entry.key)
        run.append(entry)
    yield run


def _line(entry: _Entry) -> bytes:
    """The answer to an entry: its number, its status as a call of its own would have had it, and the body."""
    answer = entry.answer or _FAILURE
    what = b"decision" if answer.status == _OK else b"problem"
    told = b"true" if entry.replayed else b"false"
    return b'{"index":%d,"status":%d,"replayed":%b,"%b":%b}' % (entry.number, answer.status, told, what, answer.body)
