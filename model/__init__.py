"""What is predicted and decided: caps, scores, plans, decisions. Pure: it reads no files but its own data."""
