"""What the analysis of experiments promises, held against simulations with known truth."""
