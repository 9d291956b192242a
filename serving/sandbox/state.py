"""What all workers agree on about a sandbox: its generation, its clock, and what processors answer in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from features.errors import InvalidValueError
from features.instants import from_micros, to_micros
from serving.ledger.store import Store, Transaction, Value
from serving.sandbox.script import Rule

_RULES = TypeAdapter(tuple[Rule, ...])


@dataclass(frozen=True, slots=True)
class SandboxState:
    """How a merchant's sandbox stands.

    Args:
        generation: One higher each time it was wiped.
        now: What time it is in there (UTC).
        rules: What processors answer.
    """

    merchant_id: str
    generation: int
    now: datetime
    rules: tuple[Rule, ...]


def state_of(store: Store, merchant_id: str, now: datetime) -> SandboxState:
    """How a merchant's sandbox stands; it is opened where there is none yet, at the instant given."""
    with store.reading() as transaction:
        found = _maybe(transaction, merchant_id)
    if found is not None:
        return found
    with store.writing() as transaction:
        transaction.put("open_sandbox", {"merchant_id": merchant_id, "clock": to_micros(now)})
        return _found(transaction, merchant_id)


def known_state(store: Store, merchant_id: str) -> SandboxState:
    """How a merchant's sandbox stands.

    Raises:
        InvalidValueError: The merchant has none.
    """
    with store.reading() as transaction:
        return _found(transaction, merchant_id)


def clock_moved(store: Store, state: SandboxState, to: datetime) -> SandboxState:
    """The clock set to a later instant, or to the same.

    Raises:
        InvalidValueError: It shows a later one already, or the sandbox was wiped meanwhile.
    """
    values: dict[str, Value] = {
        "merchant_id": state.merchant_id,
        "generation": state.generation,
        "clock": to_micros(to),
    }
    with store.writing() as transaction:
        moved = transaction.change("move_sandbox_clock", values)
        now = _found(transaction, state.merchant_id)
    if not moved:
        expected = f"an instant not before {_text(now.now)}, or reset true, which wipes the sandbox"
        raise InvalidValueError("now", _text(to), expected)
    return now


def script_set(store: Store, state: SandboxState, rules: Sequence[Rule]) -> SandboxState:
    """What processors answer from now on."""
    answers = _RULES.dump_json(tuple(rules)).decode()
    with store.writing() as transaction:
        transaction.put("script_sandbox", {**_which(state), "answers": answers})
        return _found(transaction, state.merchant_id)


def wiped(store: Store, state: SandboxState, now: datetime) -> SandboxState:
    """A new generation with nothing in it; one that was wiped meanwhile is not wiped again."""
    values = {**_which(state), "clock": to_micros(now)}
    with store.writing() as transaction:
        transaction.put("wipe_sandbox", values)
        return _found(transaction, state.merchant_id)


def _which(state: SandboxState) -> dict[str, Value]:
    return {"merchant_id": state.merchant_id, "generation": state.generation}


def _found(transaction: Transaction, merchant_id: str) -> SandboxState:
    found = _maybe(transaction, merchant_id)
    if found is None:
        raise InvalidValueError("merchant_id", merchant_id, "a merchant that has a sandbox")
    return found


def _maybe(transaction: Transaction, merchant_id: str) -> SandboxState | None:
    (rows,) = transaction.ask(("sandbox", {"merchant_id": merchant_id}))
    if not rows:
        return None
    generation, clock, answers = rows[0]
    rules = _RULES.validate_json(str(answers))
    return SandboxState(merchant_id, int(generation or 0), from_micros(int(clock or 0)), rules)


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
