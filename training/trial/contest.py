"""Plays every policy of a line-up in a world, for every number of retries allowed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from experiments.plan_calibration import Followed, follow_plans
from experiments.replay import play
from experiments.results import Results, joined, results_of
from experiments.world import World
from features.context import Context
from model.failures import category_of, failures
from model.plan_policies import PlanPolicy
from training.trial.lineup import PLAN, LineUp

Progress = Callable[[str, int, int], None]
"""Called with (step, done, total) as work goes on."""

Groups = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Contest:
    """What every policy came to on the same failed payments.

    Args:
        groups: Ways of slicing the payments: the word of each, in their order.
        results: By most retries, then policy.
        followed: The plans of the most retries, each followed as told at the first failure.
    """

    groups: Groups
    results: Mapping[int, Mapping[str, Results]]
    followed: Sequence[Followed] = ()

    @property
    def payments(self) -> int:
        """How many failed payments were played."""
        return len(next(iter(self.groups.values()), ()))


def contest(world: World, contexts: Sequence[Context], lineup: LineUp, most: Sequence[int], tell: Progress) -> Contest:
    """Play them all.

    Args:
        contexts: Failed payments of the world, as known at their first failure.
        most: Numbers of retries allowed.
    """
    results: dict[int, dict[str, Results]] = {}
    followed: list[Followed] = []
    for retries in most:
        results[retries] = {}
        for policy in lineup.policies(retries):
            step = f"playing {policy.name}, at most {retries}"
            episodes = play(
                world,
                policy,
                lineup.rulebook,
                max_retries=retries,
                failures=contexts,
                progress=partial(tell, step),
            )
            results[retries][policy.name] = results_of(policy.name, episodes, lineup.economics)
            if isinstance(policy, PlanPolicy) and policy.name == PLAN and retries == max(most):
                tell("following plans", 0, 1)
                followed = follow_plans(world, policy, contexts)
    return Contest(groups_of(contexts), results, followed)


def together(parts: Sequence[Contest]) -> Contest:
    """Contests of the same policies on different payments, as one."""
    first = parts[0]
    return Contest(
        groups={name: tuple(word for part in parts for word in part.groups[name]) for name in first.groups},
        results={
            retries: {name: joined([part.results[retries][name] for part in parts]) for name in policies}
            for retries, policies in first.results.items()
        },
        followed=[one for part in parts for one in part.followed],
    )


def groups_of(contexts: Sequence[Context]) -> Groups:
    """By decline category, issuer, market and month of the first failure."""
    firsts = [failures(context)[0] for context in contexts]
    methods = [context.method(first.method_id) for context, first in zip(contexts, firsts, strict=True)]
    return {
        "category": tuple(str(category_of(first)) for first in firsts),
        "issuer": tuple(method.issuer.issuer_id or "unknown" for method in methods),
        "market": tuple(
            c.payment.market or m.issuer.country or "unknown" for c, m in zip(contexts, methods, strict=True)
        ),
        "month": tuple(f"{first.at:%Y-%m}" for first in firsts),
    }
