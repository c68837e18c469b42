"""What Strata relies on in a Kubernetes, checked on the cluster at hand."""
