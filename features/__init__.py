"""What was known, as numbers: the nouns of a failed payment, decline codes, calendars and columns."""
