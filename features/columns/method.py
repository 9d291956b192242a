"""Columns of the method: what kind of instrument it is, how old and how fresh, and how it has fared."""

import numpy as np

from features.columns.arithmetic import codes_at, days_between, if_known, known_word, same_as_last
from features.columns.column import Values, column
from features.encoders import Encoders
from features.known import pick
from features.rows import Rows
from features.vocabulary import Credential, Funding, Network

_NO_NETWORK = list(Network).index(Network.UNKNOWN)
_NO_FUNDING = list(Funding).index(Funding.UNKNOWN)
_NO_CREDENTIAL = list(Credential).index(Credential.UNKNOWN)


@column("code", "action", kind="category")
def rail(rows: Rows, _: Encoders) -> Values:
    """How the money would move: cards answer at once, debits days later and for other reasons."""
    return rows.asked(rows.table.rail.codes).astype(np.int64)


@column("code", "action", kind="category")
def network(rows: Rows, _: Encoders) -> Values:
    """The card network or debit scheme."""
    return known_word(rows.asked(rows.table.network.codes), _NO_NETWORK)


@column("code", "action", kind="category")
def funding(rows: Rows, _: Encoders) -> Values:
    """Credit, debit or prepaid: debit follows the payday, credit the billing cycle."""
    return known_word(rows.asked(rows.table.funding.codes), _NO_FUNDING)


@column("code", "action", kind="category")
def credential(rows: Rows, _: Encoders) -> Values:
    """Number on file or network token: tokens survive re-issued cards."""
    return known_word(rows.asked(rows.table.credential.codes), _NO_CREDENTIAL)


@column("code", "action", kind="category")
def country(rows: Rows, encoders: Encoders) -> Values:
    """Country of the issuer."""
    return encoders.country.codes(rows.table.country, rows.index)


@column("flag", "action")
def same_method(rows: Rows, _: Encoders) -> Values:
    """Whether it is the method of the payment's latest attempt; another one is news."""
    return same_as_last(rows.table.method.codes, rows)


@column("failures", "action")
def method_failures_here(rows: Rows, _: Encoders) -> Values:
    """How often this payment failed with this method: a method not yet tried has its surprises left."""
    return rows.of_payment_method.total(rows.table.failed)


@column("approvals", "action")
def method_approvals(rows: Rows, _: Encoders) -> Values:
    """How often this method was approved before, for any payment."""
    return if_known(rows, rows.of_method.total(rows.table.approved))


@column("declines", "action")
def method_declines(rows: Rows, _: Encoders) -> Values:
    """How often this method failed before, for any payment."""
    return if_known(rows, rows.of_method.total(rows.table.failed))


@column("attempts", "action")
def method_failed_run(rows: Rows, _: Encoders) -> Values:
    """How many of this method's latest attempts in a row failed, for any payment."""
    run = rows.of_method.run(rows.table.approved)
    return np.where(pick(rows.table.approved, rows.of_method.last(), 1) > 0, 0, run)


@column("code", "action", kind="category")
def method_last_category(rows: Rows, _: Encoders) -> Values:
    """Why this method failed last, if its latest attempt failed; a stolen card stays stolen."""
    return codes_at(rows.table.category, rows.of_method.last())


@column("days", "action")
def days_since_method_approval(rows: Rows, _: Encoders) -> Values:
    """Days from this method's latest approval to this attempt; a method long unproven may be dead."""
    return if_known(rows, days_between(rows.at, pick(rows.table.at, rows.of_method.last(rows.table.approved))))


@column("days", "action")
def method_age(rows: Rows, _: Encoders) -> Values:
    """Days from this method's first attempt known of to this attempt: new credentials fail and work otherwise."""
    return if_known(rows, days_between(rows.at, pick(rows.table.at, rows.of_method.first())))


@column("flag", "action")
def credential_updated(rows: Rows, _: Encoders) -> Values:
    """Whether expiry or form of the credential differ from those at its latest attempt: an updater has cured it."""
    last, expires, form = rows.of_method.last(), rows.table.expires_day, rows.table.credential.codes
    then, now = pick(expires, last), rows.asked(expires)
    renewed = ~np.isnan(then) & ~np.isnan(now.astype(np.float64)) & np.not_equal(then, now)
    form_then, form_now = pick(form, last, _NO_CREDENTIAL), rows.asked(form)
    told = (form_then != _NO_CREDENTIAL) & np.not_equal(form_now, _NO_CREDENTIAL)
    return np.where(last < 0, np.nan, renewed | (told & np.not_equal(form_then, form_now)))


@column("days", "action")
def days_to_expiry(rows: Rows, _: Encoders) -> Values:
    """Days from the attempt to the credential's expiry; negative once expired."""
    return rows.asked(rows.table.expires_day).astype(np.float64) - rows.day


COLUMNS = (
    rail,
    network,
    funding,
    credential,
    country,
    same_method,
    method_failures_here,
    method_approvals,
    method_declines,
    method_failed_run,
    method_last_category,
    days_since_method_approval,
    method_age,
    credential_updated,
    days_to_expiry,
)
