"""What lives inside Qdrant: collections, access tokens, and their roster."""
