"""What holds for every program: hypothesis makes them, and shrinks one that breaks a rule to the few lines that do."""
