"""How the cluster that this package makes is operated: these tests stop it, kill it and start it again."""
