"""Starts the server: `python -m images.qdrant.server`."""

import signal
import sys


def start() -> int:
    """Serves until it is told to stop, also while it is still being imported, which takes seconds."""
    # A container's PID 1 has no default action for signals; uvicorn sets its own once it runs.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    from images.qdrant.server.main import main

    return main()


if __name__ == "__main__":
    sys.exit(start())
