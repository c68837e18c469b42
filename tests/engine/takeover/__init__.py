"""The official CLI and this engine on one stack, in both directions."""
