"""Schedules learnt from a merchant's own log, and from full outcomes where a world gives them."""
