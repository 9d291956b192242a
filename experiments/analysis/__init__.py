"""What an experiment shows: differences with intervals, checks that can withhold them, and a verdict in words."""
