"""A stand-in for the Qdrant server, over Qdrant's own engine as a library (`qdrant-edge-py`).

It speaks the part of Qdrant's REST and gRPC API that `docs/qdrant-stand-in.md` lists, for development and tests where
no registry has the real image. One process, one shard per collection.
"""

from typing import Final

# The API that is spoken, then the engine's name: clients compare major and minor with their own.
VERSION: Final = "1.19.0-strata-edge"
