"""Worlds to learn in and comparisons that hold up: the simulator, replays, and experiments on customers."""
