"""Kubernetes objects, as the official provider `kubernetes` 4.34 records them.

What is decided without a cluster: `manifest` (what is sent and recorded), `plan` (what a difference means) and
`readiness` (what an object is waited for). Nothing here talks to one yet, and the engine has no such provider.
"""
