"""What may be attempted: dated, sourced limits of networks and rails, counted by what the network counts."""
