"""Reads decisions from their canonical JSON: a second opinion on whether all of a decision is in it."""

from pydantic import TypeAdapter

from features.context_json import stored
from model.decision import Decision


def decision_in(text: bytes) -> Decision:
    """The decision that `decision_to_json` wrote."""
    return stored(TypeAdapter(Decision), text, "decision")
