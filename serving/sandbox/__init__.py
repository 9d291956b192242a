"""A merchant's sandbox: the same decisions, limits and ledger, with a clock and with answers that the caller sets."""
