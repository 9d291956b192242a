"""What the plan holds beyond the next attempt, and what the runner-up would be worth: sentences with figures."""

from collections.abc import Iterator, Sequence

from features.context import Context
from features.money import Money
from model.decision import Alternative, Plan, PlannedAttempt, Reason, Topic
from model.issuer_clock import issuer_clock
from model.planner import Planned
from model.wording import count_words, day_words, local_date, method_words, percent


def plan_reasons(context: Context, planned: Planned, told: Plan, others: Sequence[Alternative]) -> Iterator[Reason]:
    """What follows a decline, what is kept for it, what the whole is worth, and what else could start it."""
    later = told.attempts[1:]
    if later and planned.first is not None:
        kept = Money(round(float(planned.then[planned.first])), planned.values.currency)
        yield Reason(
            Topic.PLAN,
            f"If it is declined, {count_words(len(later), 'further attempt')} {_are(len(later))} planned, "
            f"next {_where(context, later[0])} ({percent(later[0].score.probability)} likely then); "
            f"{kept} is kept for that.",
        )
        yield Reason(
            Topic.PLAN,
            f"In all the plan promises to recover the payment with {_promise(told)}, and plans of several attempts "
            f"have kept less than they promised; it is worth {told.expected_net} with "
            f"{told.expected_attempts:.1f} attempts on average and would stop paying at a cost of "
            f"{told.break_even_cost} an attempt.",
        )
    else:
        yield Reason(Topic.PLAN, "No further attempt is planned if it is declined.")
    if others and planned.first is not None:
        less = planned.value.amount_minor - others[0].plan_value.amount_minor
        other = f"{_route_words(context, others[0])} on {_day(context, others[0])}"
        worth = f"worth {Money(less, planned.value.currency)} less" if less > 0 else "worth the same"
        yield Reason(Topic.PLAN, f"The runner-up, {other}, would start a plan {worth}.")


def _promise(told: Plan) -> str:
    """The chance with its range, where the range says more."""
    chance, low, high = map(percent, (told.recovery_probability, told.recovery_low, told.recovery_high))
    return chance if chance == low == high else f"{chance} ({low} to {high})"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _where(context: Context, attempt: PlannedAttempt) -> str:
    return f"on {_day(context, attempt)} with {_route_words(context, attempt)}"


def _route_words(context: Context, attempt: PlannedAttempt | Alternative) -> str:
    retry = attempt.retry
    return f"{method_words(context.method(retry.method_id))} through {retry.processor}"


def _day(context: Context, attempt: PlannedAttempt | Alternative) -> str:
    retry = attempt.retry
    return day_words(local_date(retry.slot.start, issuer_clock(context, context.method(retry.method_id)).zone))
