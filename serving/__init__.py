"""The edge: command line, HTTP service and everything that reads a clock, a file or a network."""
