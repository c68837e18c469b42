"""A real Kubernetes on this machine, for tests and for whoever has no other: see README.md."""
