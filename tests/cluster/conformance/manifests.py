"""Kubernetes objects as the tests need them."""

from typing import Any

Manifest = dict[str, Any]


def container(image: str, *args: str, **more: Any) -> Manifest:
    return {"name": "main", "image": image, "imagePullPolicy": "IfNotPresent", "args": list(args), **more}


def server(image: str, **more: Any) -> Manifest:
    """A container with agnhost's HTTP server on port 8080 (`http`)."""
    ports = [{"name": "http", "containerPort": 8080}]
    probe = {"httpGet": {"path": "/hostname", "port": "http"}, "periodSeconds": 1}
    return {**container(image, "netexec", "--http-port=8080"), "ports": ports, "readinessProbe": probe, **more}


def pod_spec(*containers: Manifest, **more: Any) -> Manifest:
    return {"terminationGracePeriodSeconds": 0, "containers": list(containers), **more}


def pod(name: str, *containers: Manifest, labels: Manifest | None = None, **spec: Any) -> Manifest:
    metadata = {"name": name, "labels": {"app": name, **(labels or {})}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod_spec(*containers, **spec)}


def workload(kind: str, name: str, replicas: int, spec: Manifest, **more: Any) -> Manifest:
    """A Deployment or a StatefulSet of pods with the label `app`."""
    template = {"metadata": {"labels": {"app": name}}, "spec": spec}
    selector = {"matchLabels": {"app": name}}
    body = {"replicas": replicas, "selector": selector, "template": template, **more}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": body}


def service(name: str, port: int = 80, **more: Any) -> Manifest:
    """A Service for the pods with the label `app`."""
    spec = {"selector": {"app": name}, "ports": [{"name": "http", "port": port, "targetPort": "http"}], **more}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def claim(name: str, size: str = "32Mi", storage_class: str | None = None, mode: str = "ReadWriteOnce") -> Manifest:
    spec: Manifest = {"accessModes": [mode], "resources": {"requests": {"storage": size}}}
    if storage_class is not None:
        spec["storageClassName"] = storage_class
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def with_volume(pod: Manifest, claim_name: str) -> Manifest:
    """`pod` with the volume of a claim at /data."""
    pod["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim_name}}]
    for each in pod["spec"]["containers"]:
        each["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    return pod


def network_policy(name: str, selector: Manifest, **spec: Any) -> Manifest:
    types = [kind for kind in ("Ingress", "Egress") if kind.lower() in spec]
    body = {"podSelector": {"matchLabels": selector}, "policyTypes": types, **spec}
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    return {**kind, "metadata": {"name": name}, "spec": body}
