"""The engine's provider for Kubernetes, on the cluster at hand."""
