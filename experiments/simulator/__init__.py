"""A world of customers, issuers and processors to learn and to be judged in. Simulated: no figure in it is real."""
