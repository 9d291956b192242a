"""Policies on trial: played in a world or read off a log, judged beside every baseline, and reported."""
