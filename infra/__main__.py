"""The Pulumi program: settings, platform, stack, outputs."""

from pathlib import Path

import pulumi

from infra import platforms, settings, stack

root = Path(pulumi.get_root_directory())
name = pulumi.get_stack()
wanted = settings.read(name)
applications = settings.read_applications(wanted, root)
platform = platforms.make(wanted, pulumi.get_project(), name)
stack.export(wanted, platform, stack.deploy(wanted, applications, platform, root))
