"""A rehearsal: an experiment played through the real service in a simulated world, held against the truth."""
