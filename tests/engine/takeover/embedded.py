"""`python -m tests.engine.takeover.embedded FOLDER COMMAND STACK [OPTION…]`: what `strata` does, on any program."""

import os
import sys
from dataclasses import replace
from pathlib import Path

from engine import api


def main() -> int:
    folder, command, stack, *words = sys.argv[1:]
    workspace = api.Workspace(
        root=Path(folder),
        stack=stack,
        backend_url=os.environ["PULUMI_BACKEND_URL"],
        passphrase=os.environ["PULUMI_CONFIG_PASSPHRASE"],
    )
    targets = tuple(words[index + 1] for index, word in enumerate(words) if word == "--target")
    options = replace(
        api.Options(),
        expect_no_changes="--expect-no-changes" in words,
        refresh="--refresh" in words,
        targets=targets,
        target_dependents="--target-dependents" in words,
    )
    result: api.Result = getattr(api, command)(workspace, options, api.JsonDisplay(sys.stdout))
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main())
