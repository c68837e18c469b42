"""The resource types that rules look at, spelled as the engine spells them.

A rule with a misspelled token never fires, so `tests/policies/test_pack.py` pins each of these to its SDK class.
"""

CONTAINER = "docker:index/container:Container"
REMOTE_IMAGE = "docker:index/remoteImage:RemoteImage"
VOLUME = "docker:index/volume:Volume"
