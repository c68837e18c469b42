"""The Pulumi program: settings, platform, stack, outputs."""

from pathlib import Path

import pulumi

from infra import delivery, platforms, settings, stack
from infra.mistakes import SettingsError

root = Path(pulumi.get_root_directory())
name = pulumi.get_stack()
try:
    wanted = settings.read(name)
    applications = settings.read_applications(wanted, root)
    platform = platforms.make(wanted, applications, pulumi.get_project(), name)
except SettingsError as error:
    raise pulumi.RunError(str(error)) from None  # which Pulumi shows without a traceback
outputs = stack.deploy(wanted, applications, platform, root)
stack.export(wanted, platform, outputs)
delivery.deliver(wanted, applications, platform, outputs, root)
