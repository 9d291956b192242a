"""The loops over contexts, routes and slots that fill the columns in, compiled when they are first called.

`features.columns` says what every column is and why; here each is worked out at the level at which it is the same: of
a context, of a route in it, of a slot on it. All loops are one file, since the code kept on disk is made anew when its
own file changes, but not for one it calls; so nothing that another file may change is compiled in, and the places of
columns and words are handed over. They are long since a call counts references to every array it hands over.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled
from features.few.arrays import Attempts, Clocks, Contexts, Days, Methods, Payments, Slots
from features.few.counted import Counted

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Float32s = NDArray[np.float32]
Flags = NDArray[np.bool_]

MICROS_PER_HOUR = 3_600_000_000
MICROS_PER_DAY = 24 * MICROS_PER_HOUR
EXACT = float(2**20)
MONTH = 30.4375
CUT_OFF_HOUR = 15
DAYS = 31
NEW = -1

# Columns of a table of days, in the order of `market_days.Day`.
(
    DAY_WEEKDAY,
    DAY_OF_MONTH,
    DAY_TO_MONTH_END,
    DAY_BANKING,
    DAY_HOLIDAY,
    DAY_TO_CLOSED,
    DAY_FROM_CLOSED,
    DAY_TO_PROCESSING_LATE,
    DAY_FROM_PAYDAY,
    DAY_TO_PAYDAY,
    DAY_MONTH,
    DAY_TO_PROCESSING,
) = range(12)

MONEY, TECHNICAL, UNSAID = 1, 2, 4
"""Kinds of decline categories, as bits of `Words.kind`."""

NAMES = (
    "decline_category", "first_decline_category", "attempts_before", "same_category_run", "distinct_categories",
    "money_declines", "technical_declines", "unsaid_declines", "other_declines", "hours_beyond_advice",
    "amount", "amount_to_usual", "amount_to_largest", "currency", "customer_approvals", "customer_declines",
    "customer_failed_run", "customer_recoveries", "customer_retry_rate", "customer_recovery_days", "customer_tenure",
    "days_since_customer_approval", "three_d_secure",
    "rail", "network", "funding", "credential", "country", "same_method", "method_failures_here", "method_approvals",
    "method_declines", "method_failed_run", "method_last_category", "days_since_method_approval", "method_age",
    "credential_updated", "days_to_expiry",
    "hours_since_last_attempt", "hours_since_first_attempt", "local_hour", "local_weekday", "day_of_month",
    "days_to_month_end", "banking_day", "holiday", "days_to_closed_day", "days_from_closed_day", "days_to_processing",
    "days_from_payday", "days_to_payday", "customer_day_rate", "customer_offset_rate", "days_from_last_recovery_day",
    "days_from_own_payday", "own_payday_support", "own_payday_passed",
    "processor", "same_processor", "processor_approvals", "processor_declines", "days_since_processor_approval",
)  # fmt: skip
"""The columns that are worked out one by one, in the order of the names below; the others are rates."""
(
    DECLINE_CATEGORY, FIRST_DECLINE_CATEGORY, ATTEMPTS_BEFORE, SAME_CATEGORY_RUN, DISTINCT_CATEGORIES,
    MONEY_DECLINES, TECHNICAL_DECLINES, UNSAID_DECLINES, OTHER_DECLINES, HOURS_BEYOND_ADVICE,
    AMOUNT, AMOUNT_TO_USUAL, AMOUNT_TO_LARGEST, CURRENCY, CUSTOMER_APPROVALS, CUSTOMER_DECLINES,
    CUSTOMER_FAILED_RUN, CUSTOMER_RECOVERIES, CUSTOMER_RETRY_RATE, CUSTOMER_RECOVERY_DAYS, CUSTOMER_TENURE,
    DAYS_SINCE_CUSTOMER_APPROVAL, THREE_D_SECURE,
    RAIL, NETWORK, FUNDING, CREDENTIAL, COUNTRY, SAME_METHOD, METHOD_FAILURES_HERE, METHOD_APPROVALS,
    METHOD_DECLINES, METHOD_FAILED_RUN, METHOD_LAST_CATEGORY, DAYS_SINCE_METHOD_APPROVAL, METHOD_AGE,
    CREDENTIAL_UPDATED, DAYS_TO_EXPIRY,
    HOURS_SINCE_LAST_ATTEMPT, HOURS_SINCE_FIRST_ATTEMPT, LOCAL_HOUR, LOCAL_WEEKDAY, DAY_OF_MONTH_,
    DAYS_TO_MONTH_END, BANKING_DAY, HOLIDAY, DAYS_TO_CLOSED_DAY, DAYS_FROM_CLOSED_DAY, DAYS_TO_PROCESSING,
    DAYS_FROM_PAYDAY, DAYS_TO_PAYDAY, CUSTOMER_DAY_RATE, CUSTOMER_OFFSET_RATE, DAYS_FROM_LAST_RECOVERY_DAY,
    DAYS_FROM_OWN_PAYDAY, OWN_PAYDAY_SUPPORT, OWN_PAYDAY_PASSED,
    PROCESSOR, SAME_PROCESSOR, PROCESSOR_APPROVALS, PROCESSOR_DECLINES, DAYS_SINCE_PROCESSOR_APPROVAL,
) = range(62)  # fmt: skip

# Rows of the arrays, in the order that `features.few.arrays` and `features.few.counted` give.
AS_OF, NUMBER, CURRENCY_CODE, INFORMED, DAY_ONLY = range(5)
AMOUNT_LOG, SINCE_DAY = range(2)
(
    AT, KNOWN_AT, APPROVED, FAILED, ERROR, CATEGORY, RETRYABILITY, METHOD, BY_PROCESSOR, PAYMENT, FORM, DAY, MONTH_DAY,
    MONTH_NUMBER,
) = range(14)  # fmt: skip
WAIT_HOURS, ATTEMPT_AMOUNT, EXPIRES_DAY, SECURED = range(4)
ON_RAIL, ON_NETWORK, ON_FUNDING, ON_FORM, ON_COUNTRY, ON_ISSUER, ON_BIN, ON_ZONE, ON_CALENDAR = range(9)
BEGINS, ENDS, FIRST_BUCKET, WIDTH, BUCKET_MICROS, PARENT, SLOT_PART, KEYS_FROM, KEYS = range(9)
FADING, BUCKET_HOURS, STRENGTH, BASE = range(4)
SIZE, REQUIRED = range(2)
PLACE, KEY, BUCKET, LATEST, RISEN, NEWEST = range(6)
TRIES, EVENTS = range(2)

# Columns of the facts, in the order of `framed.Fact`.
(
    FACT_CATEGORY, FACT_ERROR, FACT_RETRYABILITY, FACT_FAILURES, FACT_HOURS, FACT_MOVED, FACT_APPROVED, FACT_HOUR,
    FACT_BANKING, FACT_FROM_PAYDAY, FACT_TO_PAYDAY, FACT_RAIL,
) = range(12)  # fmt: skip


class Words(NamedTuple):
    """What the loops are told of columns and words.

    Args:
        place: Where each of `NAMES` stands in the matrix.
        kind: Of every decline category, as bits.
        no_network, no_form: Codes of the words for what is not known.
        lifts: Columns that are a difference of rates: (place, family, the wider family), shape (n, 3).
        shares: Columns that are a rate: (place, family), shape (n, 2).
        silences: Columns that say how long a family's key has been silent: (place, family), shape (n, 2).
        month_day, market: The families that a customer's own rates are shrunk towards.
        quarter: Hours of a quarter of the day.
    """

    place: Int64s
    kind: Int64s
    no_network: int
    no_form: int
    lifts: Int64s
    shares: Int64s
    silences: Int64s
    month_day: int
    market: int
    quarter: int


class Weighing(NamedTuple):
    """How a customer's own past is weighed; see `features.columns.payday`.

    Args:
        day_doubt: By how far apart two days of the month are, from -30 on, shape (61,).
        age: Doubt a microsecond.
    """

    day_doubt: Floats
    amount_width: float
    offset_width: float
    age: float
    strength: float
    attempts: int
    retries: int
    approvals: int
    vote: float


class Past(NamedTuple):
    """The attempts of each context, and what is known of them.

    Args:
        decided: When each context is decided, microseconds, shape (contexts,).
        event: Numbers of the attempts of each context, one after another: the payment's own, then those supposed.
        events, rows: Where each context's attempts and retries begin, and the end of the last, shape (contexts + 1,).
        order: The attempts known at the decision, by when they became known; each context's from where its attempts
            begin, as places in `event`, shape (events,).
        known: How many there are, shape (contexts,).
        retry: Whether each follows another of its payment, shape (events,).
        waited_days: Since the payment's earliest attempt known then, shape (events,).
        votes: Of the customer's recoveries for days of the month, shape (contexts, 31).
    """

    decided: Int64s
    event: Int64s
    events: Int64s
    rows: Int64s
    order: Int64s
    known: Int64s
    retry: Flags
    waited_days: Floats
    votes: Floats


@compiled
def read(
    told: Int64s, said: Floats, methods: Methods, clocks: Clocks, outcomes: tuple[int, int, int]
) -> tuple[Int64s, Floats]:
    """Attempts as the other loops are given them, but for the logarithm of the amount.

    Args:
        told, said: As of `Reading`, a line an attempt, shape (attempts, 11) and (attempts, 4).
        outcomes: Codes of what is approved, not known, and an error.
    """
    on, on_expires_day = methods
    on_form, on_zone = on[ON_FORM], on[ON_ZONE]
    begins, starts, offsets = clocks
    approved, unknown, error = outcomes
    count = told.shape[0]
    whole, real = np.empty((14, count), dtype=np.int64), np.empty((4, count))
    for i in range(count):
        at, outcome, method = told[i, 0], told[i, 2], told[i, 8]
        zone = on_zone[method]
        low, high = begins[zone], begins[zone + 1]  # the first begins before everything
        while low + 1 < high:
            middle = (low + high) // 2
            if starts[middle] <= at:
                low = middle
            else:
                high = middle
        day = (at + offsets[low]) // MICROS_PER_DAY
        # The civil calendar in integers: years that begin in March, 400 of them a cycle (Hinnant 2013).
        of_cycle = (day + 719_468) % 146_097
        year = (of_cycle - of_cycle // 1_460 + of_cycle // 36_524 - of_cycle // 146_096) // 365
        of_year = of_cycle - (365 * year + year // 4 - year // 100)
        month = (5 * of_year + 2) // 153  # since March
        whole[AT, i], whole[KNOWN_AT, i] = at, told[i, 1]
        whole[APPROVED, i], whole[ERROR, i] = outcome == approved, outcome == error
        whole[FAILED, i] = outcome != approved and outcome != unknown
        whole[CATEGORY, i], whole[RETRYABILITY, i] = told[i, 4], told[i, 5]
        whole[METHOD, i], whole[BY_PROCESSOR, i], whole[PAYMENT, i] = method, told[i, 9], told[i, 10]
        whole[FORM, i] = told[i, 7] if told[i, 7] >= 0 else on_form[method]
        whole[DAY, i], whole[MONTH_DAY, i] = day, of_year - (153 * month + 2) // 5 + 1
        whole[MONTH_NUMBER, i] = ((day + 719_468) // 146_097 * 400 + year - 1970) * 12 + month + 2
        real[WAIT_HOURS, i], real[ATTEMPT_AMOUNT, i], real[SECURED, i] = said[i, 0], said[i, 1], said[i, 2]
        real[EXPIRES_DAY, i] = on_expires_day[method] if np.isnan(said[i, 3]) else said[i, 3]
    return whole, real


@compiled
def know(  # noqa: C901 - one loop, as every call counts references
    payments: Payments, contexts: Contexts, attempts: Attempts, recoveries: int, longest: int, numbers: int
) -> tuple[Int64s, Int64s, Int64s, Int64s, Int64s, Int64s, Flags, Floats, Floats]:
    """What `Past` holds.

    Args:
        recoveries, longest: As in `features.own_paydays`.
        numbers: How many payments there are numbers for.
    """
    owed, _, stated, stated_from = payments
    place, declined, declines, asked = contexts
    whole, _ = attempts
    as_of = owed[AS_OF]
    a_at, a_known_at, a_approved, a_failed, a_payment = (
        whole[AT], whole[KNOWN_AT], whole[APPROVED], whole[FAILED], whole[PAYMENT]
    )  # fmt: skip
    a_day, a_month_day = whole[DAY], whole[MONTH_DAY]
    count = place.shape[0]
    events, rows = np.zeros(count + 1, dtype=np.int64), np.zeros(count + 1, dtype=np.int64)
    for c in range(count):
        own = stated_from[place[c] + 1] - stated_from[place[c]]
        events[c + 1], rows[c + 1] = events[c] + own + declines[c], rows[c] + asked[c]
    total = int(events[count])
    event, decided_at = np.empty(total, dtype=np.int64), np.empty(count, dtype=np.int64)
    done = 0
    for c in range(count):
        to, decided = events[c], as_of[place[c]]
        for k in range(stated_from[place[c]], stated_from[place[c] + 1]):
            event[to] = stated[k]
            to += 1
        for _ in range(declines[c]):
            event[to] = declined[done]
            decided = max(decided, a_known_at[declined[done]])
            to += 1
            done += 1
        decided_at[c] = decided
    order, known = np.empty(total, dtype=np.int64), np.zeros(count, dtype=np.int64)
    retry, waited = np.zeros(total, dtype=np.bool_), np.zeros(total)
    votes = np.zeros((count, DAYS))
    seen = np.full(numbers, NEW, dtype=np.int64)
    met = np.full(numbers, NEW, dtype=np.int64)
    earliest, failed = np.empty(numbers, dtype=np.int64), np.empty(numbers, dtype=np.int64)
    voter = np.full(total, NEW, dtype=np.int64)  # the failure before a recovery that votes
    for c in range(count):
        begin = events[c]
        size = 0
        for p in range(begin, events[c + 1]):
            u = event[p]
            retry[p] = seen[a_payment[u]] == c
            seen[a_payment[u]] = c
            if a_known_at[u] <= decided_at[c]:
                to = begin + size
                while to > begin and a_known_at[event[order[to - 1]]] > a_known_at[u]:
                    order[to] = order[to - 1]
                    to -= 1
                order[to] = p
                size += 1
        known[c] = size
        for i in range(begin, begin + size):
            p = order[i]
            u = event[p]
            payment = a_payment[u]
            if met[payment] != c:
                met[payment], earliest[payment], failed[payment] = c, p, NEW
            elif p < earliest[payment]:
                earliest[payment] = p
            waited[p] = (a_at[u] - a_at[event[earliest[payment]]]) / MICROS_PER_DAY
            before = failed[payment]
            recovered = a_approved[u] and before >= 0
            if recovered and a_day[u] - a_day[event[before]] <= longest:
                voter[p] = before
            if a_failed[u]:
                failed[payment] = p
        voters = 0
        for i in range(begin + size - 1, begin - 1, -1):
            before = voter[order[i]]
            if before < 0:
                continue
            paid, lost = event[order[i]], event[before]
            length = (a_month_day[paid] - a_month_day[lost]) % DAYS
            if a_day[paid] == a_day[lost]:
                length = 1
            for d in range(DAYS):
                if (a_month_day[paid] - 1 - d) % DAYS < length:
                    votes[c, d] += 1.0 / length
            voters += 1
            if voters == recoveries:
                break
    return decided_at, event, events, rows, order, known, retry, waited, votes


@compiled
def fill(  # noqa: C901 - one loop, as every call counts references
    matrix: Float32s,
    facts: Floats,
    payments: Payments,
    contexts: Contexts,
    attempts: Attempts,
    methods: Methods,
    routes: Int64s,
    proposed: Slots,
    clocks: Clocks,
    days: Days,
    counted: Counted,
    past: Past,
    logged: Floats,
    payday: Floats,
    running: Floats,
    words: Words,
    weighing: Weighing,
) -> None:
    """Write every column of every row.

    Args:
        matrix: Shape (rows, columns).
        facts: What the prior wants to know of each row, shape (rows, len(Fact)).
        logged: ln(1 + waited days), shape (events,).
        payday: Inferred day of the month on which the customer's money comes; NaN for none, shape (contexts,).
        running: Votes up to each day of the month, shape (contexts, 32).
    """
    # A member of a tuple is counted at every use, and each is taken out once; of tuples in the order of their fields.
    owed, owed_real, _, _ = payments
    numbers, currencies, informed_, day_only_ = owed[NUMBER], owed[CURRENCY_CODE], owed[INFORMED], owed[DAY_ONLY]
    amounts, since_day = owed_real[AMOUNT_LOG], owed_real[SINCE_DAY]
    places, _, _, _ = contexts
    whole, real = attempts
    a_at, a_known_at, a_approved, a_failed, a_error = (
        whole[AT], whole[KNOWN_AT], whole[APPROVED], whole[FAILED], whole[ERROR]
    )  # fmt: skip
    a_category, a_retryability, a_method, a_processor, a_payment = (
        whole[CATEGORY], whole[RETRYABILITY], whole[METHOD], whole[BY_PROCESSOR], whole[PAYMENT]
    )  # fmt: skip
    a_form, a_day, a_month_day, a_month = whole[FORM], whole[DAY], whole[MONTH_DAY], whole[MONTH_NUMBER]
    a_wait_hours, a_amount, a_expires_day, a_three_d_secure = (
        real[WAIT_HOURS], real[ATTEMPT_AMOUNT], real[EXPIRES_DAY], real[SECURED]
    )  # fmt: skip
    on, on_expires_day = methods
    on_rail, on_network, on_funding, on_form = on[ON_RAIL], on[ON_NETWORK], on[ON_FUNDING], on[ON_FORM]
    on_country, on_issuer, on_bin = on[ON_COUNTRY], on[ON_ISSUER], on[ON_BIN]
    on_zone, on_calendar = on[ON_ZONE], on[ON_CALENDAR]
    by_method, by_processor, by_code = routes[0], routes[1], routes[2]
    slot, route_of = proposed
    clock, starts, offsets = clocks
    first_day, tables = days
    family, family_real, n_parts, of_part, entries, weights, n_last, n_known_until = counted
    n_begins, n_ends, n_first, n_width = family[BEGINS], family[ENDS], family[FIRST_BUCKET], family[WIDTH]
    n_bucket_micros, n_parent, n_slot_part = family[BUCKET_MICROS], family[PARENT], family[SLOT_PART]
    n_keys_from, n_keys = family[KEYS_FROM], family[KEYS]
    n_fading, n_hours, n_strength, n_base = (
        family_real[FADING], family_real[BUCKET_HOURS], family_real[STRENGTH], family_real[BASE]
    )  # fmt: skip
    n_sizes, n_required = of_part[SIZE], of_part[REQUIRED]
    n_place, n_key, n_bucket = entries[PLACE], entries[KEY], entries[BUCKET]
    n_latest, n_risen, n_newest = entries[LATEST], entries[RISEN], entries[NEWEST]
    n_attempts, n_events = weights[TRIES], weights[EVENTS]
    decided_at, event, events_from, rows_from, order, known, retry, waited, _ = past
    place, kinds, no_network, no_form, lifts, shares, silences, of_month_day, of_market, quarter_hours = words
    (
        day_doubt,
        amount_width,
        offset_width,
        age_doubt,
        strength,
        most_attempts,
        most_retries,
        latest_approvals,
        vote,
    ) = weighing
    nan = np.nan
    families = n_begins.shape[0]
    rate, part = np.zeros(families), np.zeros(n_sizes.shape[0], dtype=np.int64)
    entry, buckets = np.full(families, NEW, dtype=np.int64), np.empty(families, dtype=np.int64)
    # What a family counted under each code of the part of its key that changes with the slot, in this visit of a route.
    counted_on = np.full((families, DAYS + 1), NEW, dtype=np.int64)
    faded_events, faded_tries = np.empty(counted_on.shape), np.empty(counted_on.shape)
    visit = 0
    line = np.zeros(matrix.shape[1])
    seen = np.full(by_method.shape[0], NEW, dtype=np.int64)
    day_hits, day_weight = np.zeros(DAYS + 1), np.zeros(DAYS + 1)
    day_seen = np.full(DAYS + 1, NEW, dtype=np.int64)
    for c in range(decided_at.shape[0]):
        first_row, last_row = rows_from[c], rows_from[c + 1]
        if first_row == last_row:
            continue
        begin, decided, about = events_from[c], decided_at[c], places[c]
        end = begin + known[c]
        own, amount = numbers[about], amounts[about]
        informed, day_only = informed_[about] > 0, day_only_[about] > 0

        # --- the payment and the customer: the same for every row of the context -----------------------------------
        first = last = first_failed = last_failed = NEW
        count = run = money = technical = unsaid = given = categories = 0
        approvals = failures = retried = recovered = failed_run = 0
        last_approved = last_recovered = NEW
        paid, took, largest, latest = 0.0, 0.0, -np.inf, 0
        for i in range(begin, end):
            p = order[i]
            u = event[p]
            category = a_category[u]
            if a_payment[u] == own:
                if first < 0:
                    first = u
                run = run + 1 if last >= 0 and a_category[last] == category else 1
                last = u
                count += 1
                if a_failed[u]:
                    if first_failed < 0:
                        first_failed = u
                    last_failed = u
                if category >= 0:
                    given += 1
                    categories |= 1 << category
                    kind = kinds[category]
                    money += (kind & MONEY) > 0
                    technical += (kind & TECHNICAL) > 0
                    unsaid += (kind & UNSAID) > 0
            retried += retry[p]
            failures += a_failed[u]
            if a_approved[u]:
                approvals += 1
                failed_run = 0
                last_approved = u
                paid += np.rint(a_amount[u] * EXACT)
                if retry[p]:
                    recovered += 1
                    last_recovered = u
                    took += np.rint(waited[p] * EXACT)
            else:
                failed_run += 1
        for i in range(end - 1, begin - 1, -1):
            u = event[order[i]]
            if a_approved[u]:
                largest = max(largest, a_amount[u])
                latest += 1
                if latest == latest_approvals:
                    break
        distinct = 0
        while categories:
            distinct += categories & 1
            categories >>= 1
        last_category = a_category[last_failed] if last_failed >= 0 else NEW
        first_category = a_category[first_failed] if first_failed >= 0 else NEW
        line[place[DECLINE_CATEGORY]] = last_category if last_category >= 0 else nan
        line[place[FIRST_DECLINE_CATEGORY]] = first_category if first_category >= 0 else nan
        line[place[ATTEMPTS_BEFORE]] = count
        line[place[SAME_CATEGORY_RUN]] = run
        line[place[DISTINCT_CATEGORIES]] = distinct
        line[place[MONEY_DECLINES]] = money
        line[place[TECHNICAL_DECLINES]] = technical
        line[place[UNSAID_DECLINES]] = unsaid
        line[place[OTHER_DECLINES]] = given - (money + technical + unsaid)
        line[place[AMOUNT]] = amount
        line[place[CURRENCY]] = currencies[about] if currencies[about] >= 0 else nan
        line[place[AMOUNT_TO_USUAL]] = amount - paid / EXACT / approvals if informed and approvals else nan
        line[place[AMOUNT_TO_LARGEST]] = amount - largest if informed and latest else nan
        line[place[CUSTOMER_APPROVALS]] = approvals if informed else nan
        line[place[CUSTOMER_DECLINES]] = failures if informed else nan
        line[place[CUSTOMER_FAILED_RUN]] = failed_run if informed else nan
        line[place[CUSTOMER_RECOVERIES]] = recovered if informed else nan
        line[place[CUSTOMER_RETRY_RATE]] = recovered / retried if informed and retried else nan
        line[place[CUSTOMER_RECOVERY_DAYS]] = took / EXACT / recovered if informed and recovered else nan
        joined = since_day[about]
        if informed and end > begin:
            joined = np.fmin(joined, a_at[event[order[begin]]] / MICROS_PER_DAY)
        tenure = decided / MICROS_PER_DAY - joined
        line[place[CUSTOMER_TENURE]] = nan if np.isnan(tenure) else max(tenure, 0.0)
        line[place[THREE_D_SECURE]] = a_three_d_secure[last] if last >= 0 else nan
        votes = running[c, DAYS]
        line[place[OWN_PAYDAY_SUPPORT]] = votes if informed else nan

        asked_at = max(decided, n_known_until)
        for f in range(families):
            buckets[f] = asked_at // n_bucket_micros[f]
        part[5] = last_category
        for r in range(first_row, last_row):
            route = route_of[r]
            if seen[route] == c:
                continue
            seen[route] = c
            visit += 1
            method, processor = by_method[route], by_processor[route]

            # --- the method and the processor: the same for every slot of the route ----------------------------------
            here = m_approvals = m_failures = m_run = p_approvals = p_failures = 0
            m_first = m_last = m_approved = p_approved = mine = NEW
            for i in range(begin, end):
                u = event[order[i]]
                if a_method[u] == method:
                    if m_first < 0:
                        m_first = u
                    m_last = u
                    m_failures += a_failed[u]
                    if a_approved[u]:
                        m_approvals += 1
                        m_approved = u
                        m_run = 0
                    else:
                        m_run += 1
                    if a_payment[u] == own and a_failed[u]:
                        here += 1
                        mine = u
                if a_processor[u] == processor:
                    p_failures += a_failed[u]
                    if a_approved[u]:
                        p_approvals += 1
                        p_approved = u
            network, form, expires = on_network[method], on_form[method], on_expires_day[method]
            line[place[RAIL]] = on_rail[method]
            line[place[NETWORK]] = network if network != no_network else nan
            line[place[FUNDING]] = on_funding[method] if on_funding[method] >= 0 else nan
            line[place[CREDENTIAL]] = form if form != no_form else nan
            line[place[COUNTRY]] = on_country[method] if on_country[method] >= 0 else nan
            line[place[SAME_METHOD]] = (a_method[last] == method) * 1.0 if last >= 0 else nan
            line[place[METHOD_FAILURES_HERE]] = here
            line[place[METHOD_APPROVALS]] = m_approvals if informed else nan
            line[place[METHOD_DECLINES]] = m_failures if informed else nan
            line[place[METHOD_FAILED_RUN]] = m_run
            category = a_category[m_last] if m_last >= 0 else NEW
            line[place[METHOD_LAST_CATEGORY]] = category if category >= 0 else nan
            updated = nan
            if m_last >= 0:
                then = a_expires_day[m_last]
                renewed = not np.isnan(then) and not np.isnan(expires) and then != expires
                formed = a_form[m_last]
                told = formed != no_form and form != no_form
                updated = 1.0 if renewed or (told and formed != form) else 0.0
            line[place[CREDENTIAL_UPDATED]] = updated
            line[place[PROCESSOR]] = by_code[route] if by_code[route] >= 0 else nan
            line[place[SAME_PROCESSOR]] = (a_processor[last] == processor) * 1.0 if last >= 0 else nan
            line[place[PROCESSOR_APPROVALS]] = p_approvals if informed else nan
            line[place[PROCESSOR_DECLINES]] = p_failures if informed else nan

            part[0], part[1], part[2] = on_country[method], network, on_issuer[method]
            part[3], part[4] = on_bin[method], by_code[route]
            zone, table = on_zone[method], on_calendar[method]
            interval, upto = clock[zone], clock[zone + 1]
            day_before, quarter_before, fresh = NEW, NEW, True
            for row in range(r, last_row):
                if route_of[row] != route:
                    continue

                # --- the slot --------------------------------------------------------------------------------------
                at = slot[row]
                while interval + 1 < upto and starts[interval + 1] <= at:
                    interval += 1
                while starts[interval] > at:
                    interval -= 1
                local = at + offsets[interval]
                day = local // MICROS_PER_DAY
                hour = (local % MICROS_PER_DAY) / MICROS_PER_HOUR
                of = day - first_day
                month_day = tables[table, of, DAY_OF_MONTH]
                from_payday, to_payday = tables[table, of, DAY_FROM_PAYDAY], tables[table, of, DAY_TO_PAYDAY]
                facts[row, FACT_HOUR] = hour
                quarter = NEW
                if day_only:
                    hour = nan
                else:
                    quarter = int(hour // quarter_hours)
                if fresh or day != day_before or quarter != quarter_before:
                    day_before, quarter_before = day, quarter
                    part[6], part[7] = month_day - 1, min((month_day - 1) // 10, 2)
                    part[8], part[9] = min(from_payday, DAYS - 1), quarter
                    for f in range(families):
                        varying = n_slot_part[f]
                        if not fresh and varying < 0:
                            continue
                        parent = n_base[f] if n_parent[f] < 0 else rate[n_parent[f]]
                        low, high = n_begins[f], n_ends[f]
                        if low == high:
                            rate[f] = parent
                            continue
                        which = part[varying] + 1 if varying >= 0 else 0
                        if counted_on[f, which] != visit:
                            counted_on[f, which] = visit
                            bucket, key = buckets[f], 0
                            for k in range(n_parts.shape[1]):
                                piece = n_parts[f, k]
                                if piece < 0:
                                    break
                                if part[piece] < 0 and n_required[piece]:
                                    key = NEW
                                    break
                                key = key * (n_sizes[piece] + 1) + part[piece] + 1
                            found = n_last[n_keys_from[f] + key] if 0 <= key < n_keys[f] else NEW
                            if found >= 0 and n_bucket[found] >= bucket:  # counted later: what was known then
                                wanted = key * n_width[f] + max(bucket - n_first[f], 0)
                                found = _first_not_below(n_place, low, high, wanted) - 1
                                if found < low or n_key[found] != key:
                                    found = NEW
                            entry[f] = found
                            faded_events[f, which] = faded_tries[f, which] = 0.0
                            if found >= 0:
                                faded = np.exp2(-(max(bucket - 1 - n_bucket[found], 0) * n_fading[f]))
                                faded_events[f, which] = n_events[found] * faded
                                faded_tries[f, which] = n_attempts[found] * faded
                        events, tries = faded_events[f, which], faded_tries[f, which]
                        rate[f] = (events + n_strength[f] * parent) / (tries + n_strength[f])
                    for k in range(lifts.shape[0]):
                        if fresh or n_slot_part[lifts[k, 1]] >= 0:
                            line[lifts[k, 0]] = np.rint(100 * (rate[lifts[k, 1]] - rate[lifts[k, 2]]))
                    if fresh:
                        for k in range(shares.shape[0]):
                            line[shares[k, 0]] = np.rint(100 * rate[shares[k, 1]])
                        for k in range(silences.shape[0]):
                            f = silences[k, 1]
                            hours = nan
                            if entry[f] >= 0 and n_latest[entry[f]] >= 0:
                                bucket = buckets[f]
                                later = n_ends[f]
                                if n_risen[later - 1] >= bucket:
                                    later = _first_not_below(n_risen, n_begins[f], later, bucket)
                                newest = n_newest[max(later - 1, n_begins[f])]
                                hours = (newest - n_latest[entry[f]]) * n_hours[f]
                            line[silences[k, 0]] = hours
                        fresh = False
                    line[place[LOCAL_WEEKDAY]] = tables[table, of, DAY_WEEKDAY]
                    line[place[DAY_OF_MONTH_]] = month_day
                    line[place[DAYS_TO_MONTH_END]] = tables[table, of, DAY_TO_MONTH_END]
                    line[place[BANKING_DAY]] = tables[table, of, DAY_BANKING]
                    line[place[HOLIDAY]] = tables[table, of, DAY_HOLIDAY]
                    line[place[DAYS_TO_CLOSED_DAY]] = tables[table, of, DAY_TO_CLOSED]
                    line[place[DAYS_FROM_CLOSED_DAY]] = tables[table, of, DAY_FROM_CLOSED]
                    line[place[DAYS_FROM_PAYDAY]] = from_payday if from_payday >= 0 else nan
                    line[place[DAYS_TO_PAYDAY]] = to_payday if to_payday >= 0 else nan
                    line[place[DAYS_TO_EXPIRY]] = expires - day
                    off = nan
                    if informed and last_recovered >= 0:
                        off = (month_day - a_month_day[last_recovered] + MONTH / 2) % MONTH - MONTH / 2
                    line[place[DAYS_FROM_LAST_RECOVERY_DAY]] = off
                    line[place[DAYS_FROM_OWN_PAYDAY]] = (month_day - payday[c]) % MONTH if informed else nan
                    passed = nan
                    if informed and last_failed >= 0:
                        months = tables[table, of, DAY_MONTH] - a_month[last_failed]
                        came = running[c, month_day] - running[c, a_month_day[last_failed]] + months * votes
                        even = min(max((day - a_day[last_failed]) / MONTH, 0.0), 1.0)
                        passed = (min(max(came, 0.0), votes) + vote * even) / (votes + vote)
                    line[place[OWN_PAYDAY_PASSED]] = passed
                    # The customer's attempts near this day of the month.
                    if informed and day_seen[month_day] != c:
                        day_seen[month_day], hits, weight, left = c, 0.0, 0.0, most_attempts
                        for i in range(end - 1, begin - 1, -1):
                            u = event[order[i]]
                            if not (a_approved[u] or a_failed[u]):
                                continue
                            below = amount - a_amount[u]
                            below = max(below if a_approved[u] else -below, 0.0) / amount_width
                            doubt = day_doubt[month_day - a_month_day[u] + 30]
                            doubt += (decided - a_known_at[u]) * age_doubt
                            doubt += 0.5 * (below * below)
                            likely = np.exp(-doubt)
                            weight += likely
                            if a_approved[u]:
                                hits += likely
                            left -= 1
                            if left == 0:
                                break
                        day_hits[month_day], day_weight[month_day] = hits, weight
                    line[place[CUSTOMER_DAY_RATE]] = (
                        (day_hits[month_day] + strength * rate[of_month_day]) / (day_weight[month_day] + strength)
                        if informed
                        else nan
                    )
                line[place[LOCAL_HOUR]] = hour
                late = DAY_TO_PROCESSING_LATE if hour >= CUT_OFF_HOUR else DAY_TO_PROCESSING
                line[place[DAYS_TO_PROCESSING]] = tables[table, of, late]
                since = (at - a_at[last_failed]) / MICROS_PER_HOUR if last_failed >= 0 else nan
                line[place[HOURS_BEYOND_ADVICE]] = since - a_wait_hours[last_failed] if last_failed >= 0 else nan
                line[place[HOURS_SINCE_LAST_ATTEMPT]] = (at - a_at[last]) / MICROS_PER_HOUR if last >= 0 else nan
                line[place[HOURS_SINCE_FIRST_ATTEMPT]] = (at - a_at[first]) / MICROS_PER_HOUR if first >= 0 else nan
                if informed:
                    line[place[DAYS_SINCE_CUSTOMER_APPROVAL]] = (
                        (at - a_at[last_approved]) / MICROS_PER_DAY if last_approved >= 0 else nan
                    )
                    line[place[DAYS_SINCE_METHOD_APPROVAL]] = (
                        (at - a_at[m_approved]) / MICROS_PER_DAY if m_approved >= 0 else nan
                    )
                    line[place[METHOD_AGE]] = (at - a_at[m_first]) / MICROS_PER_DAY if m_first >= 0 else nan
                    line[place[DAYS_SINCE_PROCESSOR_APPROVAL]] = (
                        (at - a_at[p_approved]) / MICROS_PER_DAY if p_approved >= 0 else nan
                    )
                    # The customer's retries about so many days after the first attempt.
                    ratio = nan
                    if first >= 0:
                        far = np.log1p(max((at - a_at[first]) / MICROS_PER_DAY, 0.0))
                        hits, weight, left = 0.0, 0.0, most_retries
                        for i in range(end - 1, begin - 1, -1):
                            p = order[i]
                            u = event[p]
                            if not retry[p] or not (a_approved[u] or a_failed[u]):
                                continue
                            off = (far - logged[p]) / offset_width
                            likely = np.exp(-(0.5 * (off * off)) - (decided - a_known_at[u]) * age_doubt)
                            weight += likely
                            if a_approved[u]:
                                hits += likely
                            left -= 1
                            if left == 0:
                                break
                        ratio = (hits + strength * rate[of_market]) / (weight + strength)
                    line[place[CUSTOMER_OFFSET_RATE]] = ratio
                else:
                    line[place[DAYS_SINCE_CUSTOMER_APPROVAL]] = nan
                    line[place[DAYS_SINCE_METHOD_APPROVAL]] = nan
                    line[place[METHOD_AGE]] = nan
                    line[place[DAYS_SINCE_PROCESSOR_APPROVAL]] = nan
                    line[place[CUSTOMER_OFFSET_RATE]] = nan
                for k in range(line.shape[0]):
                    matrix[row, k] = line[k]
                facts[row, FACT_CATEGORY] = a_category[mine] if mine >= 0 else NEW
                facts[row, FACT_ERROR] = a_error[mine] if mine >= 0 else 0.0
                facts[row, FACT_RETRYABILITY] = a_retryability[mine] if mine >= 0 else NEW
                facts[row, FACT_FAILURES] = here
                facts[row, FACT_HOURS] = (at - a_at[mine]) / MICROS_PER_HOUR if mine >= 0 else nan
                facts[row, FACT_MOVED] = 1.0 if mine >= 0 and a_processor[mine] != processor else 0.0
                facts[row, FACT_APPROVED] = decided - a_at[m_approved] if m_approved >= 0 else nan
                facts[row, FACT_BANKING] = tables[table, of, DAY_BANKING]
                facts[row, FACT_FROM_PAYDAY] = from_payday
                facts[row, FACT_TO_PAYDAY] = to_payday
                facts[row, FACT_RAIL] = on_rail[method]


@compiled
def _first_not_below(values: Int64s, low: int, high: int, wanted: int) -> int:
    """Place of the first of some rising values that is not below another, from `low` on; `high` where all are."""
    while low < high:
        middle = (low + high) // 2
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low
