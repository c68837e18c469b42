"""What a command line may choose, kept apart from the contract: that takes a while to load, and `--help` needs none."""

from typing import Final, Literal, get_args

ViewName = Literal["host", "network", "cluster"]

Format = Literal["env", "yaml", "json"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
