"""What a merchant sends altogether, kept for minutes where it is much: reading it takes long and changes little."""

from collections.abc import Iterable
from dataclasses import dataclass

from features.instants import MICROS_PER_SECOND
from model.caps.rule import CapRule
from model.caps.volumes import Volumes, about_volumes
from serving.ledger.beyond import NO_VOLUMES, volumes_in
from serving.ledger.store import Transaction

MUCH = 100_000
"""Attempts in a window from which on a few minutes of them are a small part."""
KEPT_MICROS = 300 * MICROS_PER_SECOND
_MOST = 1_024

_Place = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Kept:
    at: int
    volumes: Volumes


class RecentVolumes:
    """Volumes for decisions, exact below `much` attempts and at most five minutes old from there on.

    A reservation under a rule that binds reads them itself, so that nothing is held by an old count.
    """

    def __init__(self, much: int = MUCH) -> None:
        self._much = much
        self._kept: dict[_Place, _Kept] = {}

    def of(self, transaction: Transaction, merchant_id: str, rules: Iterable[CapRule], at: int) -> Volumes:
        """What the merchant has sent by the rules about volumes among these, as of an instant (microseconds)."""
        about = about_volumes(rules)
        if not about:
            return NO_VOLUMES
        kept = self._kept.get(_place(merchant_id, about)) if self._kept else None
        if kept is not None and 0 <= at - kept.at < KEPT_MICROS:
            return kept.volumes
        volumes = volumes_in(transaction, merchant_id, about, at)
        if max((volume.of for volume in volumes.by_rule.values()), default=0) >= self._much:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[_place(merchant_id, about)] = _Kept(at, volumes)
        return volumes


def _place(merchant_id: str, about: Iterable[CapRule]) -> _Place:
    return merchant_id, tuple([f"{rule.rule_id} {rule.effective_from} {rule.limit} {rule.share_bps}" for rule in about])
