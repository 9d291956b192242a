"""The demonstration: a simulated history, a model of it, and five telling failures put to a running service."""
