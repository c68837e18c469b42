"""What the local Qdrant image holds besides Debian packages."""
