"""Worlds to learn in and comparisons that hold up: the simulator now, A/B experiments later."""
