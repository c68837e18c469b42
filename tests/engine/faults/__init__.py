"""What is left of a stack when something goes wrong in the middle, and what the next `up` makes of it."""
