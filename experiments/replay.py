"""Plays a policy in a world: every open episode is asked at once, round by round, until each has ended.

An episode is one failed payment from its first failure on. It ends when a retry is approved, the policy stops, the
next retry would lie after the payment's last day, the retries allowed are used up, the customer pays by hand or leaves
(where the world knows of it), or the world cannot tell what a retry would have come to. Worlds answer with common
random numbers, so two policies played in the same world are compared episode by episode.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum

from experiments.world import Living, World, answers
from features.action import Retry, Slot, Stop
from features.attempt import Attempt
from features.context import Context
from features.instants import MICROSECOND
from features.vocabulary import Outcome
from model.caps.rulebook import Rulebook
from model.decision import StopReason
from model.policies import SCHEDULE_OVER, Policy
from model.screening import verdicts_on

_ASKED_AT_ONCE = 256  # bounds the memory of policies that score many retries at a time

Progress = Callable[[int, int], None]
"""Called with (ended episodes, episodes)."""


class End(IntEnum):
    """How an episode ended."""

    RECOVERED = 0
    STOPPED = 1
    SCHEDULE_OVER = 2
    OUT_OF_RETRIES = 3
    OUT_OF_TIME = 4
    PAID_BY_HAND = 5
    LEFT = 6
    UNOBSERVED = 7
    NOTHING_ALLOWED = 8


_STOPS = {
    SCHEDULE_OVER: End.SCHEDULE_OVER,
    StopReason.RETRIES_USED_UP.value: End.OUT_OF_RETRIES,
    StopReason.NO_USABLE_METHOD.value: End.NOTHING_ALLOWED,
    StopReason.NO_SLOT_LEFT.value: End.NOTHING_ALLOWED,
    StopReason.NO_ALLOWED_ACTION.value: End.NOTHING_ALLOWED,
}


@dataclass(slots=True)
class Episode:
    """One failed payment as it went under a policy.

    Args:
        context: As known at its first failure.
        attempts: The policy's retries with their outcomes, in order.
        breaches: Retries that a rule forbade when they were made.
        end: How it ended; None while it is open.
        ended_at: When that was.
        stop: The policy's reason, where it stopped.
        settled_at: When the customer paid by hand what the policy had not recovered.
    """

    context: Context
    attempts: list[Attempt] = field(default_factory=list)
    breaches: int = 0
    end: End | None = None
    ended_at: datetime | None = None
    stop: str | None = None
    settled_at: datetime | None = None

    @property
    def now(self) -> Context:
        """The context with what the retries so far told, cut when the last outcome became known."""
        if not self.attempts:
            return self.context
        as_of = max(self.attempts[-1].known_at, self.context.as_of)
        return replace(self.context, attempts=(*self.context.attempts, *self.attempts), as_of=as_of)


def play(
    world: World,
    policy: Policy,
    rulebook: Rulebook,
    *,
    max_retries: int,
    failures: Iterable[Context] | None = None,
    progress: Progress | None = None,
) -> list[Episode]:
    """Play the policy on every failed payment of the world, or on those given.

    Args:
        rulebook: What every retry is held against at its own instant; breaches are counted, not prevented.
        max_retries: Most retries of one payment.
        failures: Contexts at first failure; all of the world's by default.
    """
    episodes = [Episode(context) for context in (world.failures() if failures is None else failures)]
    living = world if isinstance(world, Living) else None
    still = list(episodes)
    while still:
        ended = len(episodes) - len(still)
        for start in range(0, len(still), _ASKED_AT_ONCE):
            asked = still[start : start + _ASKED_AT_ONCE]
            _round(world, living, policy, rulebook, asked, max_retries)
            ended += sum(episode.end is not None for episode in asked)
            if progress is not None:
                progress(ended, len(episodes))
        still = [episode for episode in still if episode.end is None]
    if living is not None:
        for episode in episodes:
            episode.settled_at = _settled_at(living, episode)
    return episodes


def _round(
    world: World,
    living: Living | None,
    policy: Policy,
    rulebook: Rulebook,
    episodes: Sequence[Episode],
    max_retries: int,
) -> None:
    """Ask the policy about every open episode, then the world about every retry chosen."""
    contexts = [episode.now for episode in episodes]
    asked: list[tuple[Episode, Context, Retry]] = []
    for episode, context, choice in zip(episodes, contexts, policy.choices(contexts), strict=True):
        if isinstance(choice.action, Stop):
            episode.stop = choice.action.reason
            _end(episode, _STOPS.get(choice.action.reason, End.STOPPED), context.as_of)
        elif not _overtaken(living, episode, choice.action):
            asked.append((episode, context, choice.action))
    told = answers(world, [(context.payment.payment_id, retry) for _, context, retry in asked])
    for (episode, context, retry), attempt in zip(asked, told, strict=True):
        episode.breaches += not _allowed(context, retry, rulebook)
        episode.attempts.append(attempt)
        if attempt.outcome is Outcome.APPROVED:
            _end(episode, End.RECOVERED, attempt.known_at)
        elif attempt.outcome is Outcome.UNKNOWN:
            _end(episode, End.UNOBSERVED, attempt.at)
        elif len(episode.attempts) >= max_retries:
            _end(episode, End.OUT_OF_RETRIES, attempt.known_at)


def _overtaken(living: Living | None, episode: Episode, retry: Retry) -> bool:
    """Whether the episode has ended by itself before the retry's time; ends it then."""
    payment, at = episode.context.payment, retry.slot.start
    if at > payment.recover_by:
        _end(episode, End.OUT_OF_TIME, payment.recover_by)
    elif living is not None:
        settled, left = living.settled_at(payment.payment_id), living.left_at(payment.payment_id)
        if settled is not None and settled <= at and (left is None or settled <= left):
            _end(episode, End.PAID_BY_HAND, settled)
        elif left is not None and left <= at:
            _end(episode, End.LEFT, left)
    return episode.end is not None


def _settled_at(living: Living, episode: Episode) -> datetime | None:
    """When the customer paid by hand what the policy had not recovered, as long as the payment could be recovered."""
    payment = episode.context.payment
    settled, left = living.settled_at(payment.payment_id), living.left_at(payment.payment_id)
    if episode.end is End.RECOVERED or settled is None or settled > payment.recover_by:
        return None
    return settled if left is None or settled <= left else None


def _allowed(context: Context, retry: Retry, rulebook: Rulebook) -> bool:
    """Whether every rule allows the attempt at the instant it was made, the start of its slot."""
    if not rulebook.rules:
        return True
    at = retry.slot.start
    instant = replace(retry, slot=Slot(at, at + MICROSECOND))
    return all(verdict.allowed for verdict in verdicts_on(context, instant, rulebook))


def _end(episode: Episode, end: End, at: datetime) -> None:
    episode.end, episode.ended_at = end, at
