"""A stack's outputs as the program exports them: plain values, one application with everything."""

from typing import Any

from infra.contract import StackContract

PASSWORD = "Pa55"


def outputs(password: str = PASSWORD) -> dict[str, Any]:
    def ref(*keys: str) -> dict[str, Any]:
        return {"kind": "stack_output", "name": "credentials", "keys": list(keys)}

    def backend(name: str, version: str, port: int) -> dict[str, Any]:
        views = {
            "host": {"host": "127.0.0.1", "port": port, "tls": False, "access": {"kind": "direct"}},
            "network": {"host": name, "port": port, "tls": False, "access": {"kind": "direct"}},
        }
        return {"version": version, "views": views, "runtime": {"kind": "docker", "container": name}}

    return {
        "contract_version": 1,
        "platform": "docker",
        "stage": "development",
        "guarantees": ["network_isolated"],
        "backends": {
            "postgres": backend("db-postgres", "17.6", 5432),
            "redis": backend("redis", "8.0.2", 6379),
            "qdrant": _with_grpc(backend("vector-db", "1.19.0", 6333)),
            "object_store": backend("object-store", "2026-02-12T20:18:48Z", 9000),
        },
        "applications": {
            "alfred": {
                "postgres": {
                    "database": "alfred",
                    "schema_version": "0002_policies",
                    "username": "authenticator",
                    "secret_ref": ref("alfred", "postgres"),
                    "readonly": {"username": "alfred_ro", "secret_ref": ref("alfred", "postgres", "readonly")},
                },
                "redis": {"prefix": "alfred:", "db": 0, "username": "alfred", "secret_ref": ref("alfred", "redis")},
                "qdrant": {
                    "collections": {
                        "documents": {"name": "documents", "size": 1536, "distance": "Cosine", "vectors": {}},
                        "media": {
                            "name": "media",
                            "vectors": {
                                "text": {"size": 384, "distance": "Dot"},
                                "image": {"size": 512, "distance": "Cosine"},
                            },
                        },
                    },
                    "username": "alfred-1",
                    "secret_ref": ref("alfred", "qdrant"),
                    "readonly": {"username": "alfred-ro-1", "secret_ref": ref("alfred", "qdrant", "readonly")},
                    "previous": {"username": "alfred-0", "secret_ref": ref("alfred", "qdrant", "previous")},
                },
                "object_store": {
                    "buckets": {
                        "private": {"name": "alfred-private", "public": False, "content_types": []},
                        "uploads": {
                            "name": "alfred-uploads",
                            "public": True,
                            "max_size": 1024,
                            "content_types": ["image/png", "image/jpeg"],
                        },
                    },
                    "region": "us-east-1",
                    "path_style": True,
                    "username": "alfred-1",
                    "secret_ref": ref("alfred", "object_store"),
                    "previous": {"username": "alfred-0", "secret_ref": ref("alfred", "object_store", "previous")},
                },
                "volumes": {
                    "models": {"name": "dev-models", "size": 21474836480, "description": "Of the LLM service"},
                    "scratch": {"name": "dev-scratch"},
                },
                "secrets": {"jwt_secret": {"secret_ref": ref("alfred", "secrets", "jwt_secret")}},
                "tokens": {
                    "anon_key": {"claims": {"role": "anon"}, "secret_ref": ref("alfred", "tokens", "anon_key")},
                },
            }
        },
        "credentials": {
            "alfred": {
                "postgres": {
                    "username": "authenticator",
                    "password": password,
                    "readonly": {"username": "alfred_ro", "password": f"ro-{password}"},
                },
                "redis": {"username": "alfred", "password": f"redis-{password}"},
                "qdrant": {
                    "username": "alfred-1",
                    "password": f"token-{password}",
                    "readonly": {"username": "alfred-ro-1", "password": f"reads-{password}"},
                    "previous": {"username": "alfred-0", "password": f"before-{password}"},
                },
                "object_store": {
                    "username": "alfred-1",
                    "password": f"s3-{password}",
                    "previous": {"username": "alfred-0", "password": f"old-{password}"},
                },
                "secrets": {"jwt_secret": f"jwt-{password}"},
                "tokens": {"anon_key": f"token-{password}"},
            }
        },
    }


def _with_grpc(backend: dict[str, Any]) -> dict[str, Any]:
    for view in backend["views"].values():
        view["grpc_port"] = view["port"] + 1
    return backend


def contract(password: str = PASSWORD) -> StackContract:
    return StackContract.model_validate(outputs(password), extra="forbid")
