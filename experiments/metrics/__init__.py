"""What an experiment measures: facts of its units, when they are complete, and ratios with a question each."""
