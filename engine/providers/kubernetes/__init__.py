"""Kubernetes objects, as the official provider `kubernetes` 4.34 makes and records them.

What is decided without a cluster: `settings` and `kubeconfig` (which cluster), `types`, `manifest` (what is sent),
`record` (what is recorded), `plan` (what a difference means), `readiness` and `conditions` (what an object is waited
for), `ownership` (whose it is). `cluster` talks to one, by way of `connection`; `operations` does things with it, with
`awaiting`, `pods` and `news` while something is to come, and `removal` while it is to go.
"""
