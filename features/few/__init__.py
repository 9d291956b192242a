"""The columns of a few rows, compiled: what `features.frame` computes, for the retries a service is asked about.

`features.columns` says what every column is; it works on whole histories, where an array operation costs by its length.
A decision asks about some hundred rows in some dozen contexts that differ in little, a few times over, and there the
same thousand operations cost by their number. Here one loop walks over the contexts, the routes proposed in each and
the slots of each route, and works out at each level what is the same below it. A test holds the numbers against those
of `features.frame`.
"""
