"""Side-by-side measurements of speed, printed as a table: `make bench`. What they mean is in bench/README.md.

No test asserts a time. What is measured is measured against something else, in turns, in one run on one machine, and
the ratio is what counts.
"""
