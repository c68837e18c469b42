"""Every type and every shape of entry that the embedded engine writes, in one program.

TAKEOVER_PREFIX and TAKEOVER_IMAGE name what it may make on the daemon. TAKEOVER_STEP is 1, or 2 which changes some.
"""

import os

import pulumi
import pulumi_docker as docker
import pulumi_random as random
from things import Note, Plain  # type: ignore[import-not-found]  # beside this file, which runs as a program

prefix, image, step = os.environ["TAKEOVER_PREFIX"], os.environ["TAKEOVER_IMAGE"], os.environ["TAKEOVER_STEP"]
config = pulumi.Config()
labels = [{"label": "owner", "value": prefix}]
Options = pulumi.ResourceOptions

group = pulumi.ComponentResource("takeover:index:Group", "group", {"setting": step})
inside = Options(parent=group)
password = random.RandomPassword("password", length=24, special=False, keepers={"rotation": "1"}, opts=inside)
random.RandomPassword("strict", length=16, min_lower=2, override_special="_-", opts=Options(protect=step == "0"))
identity = random.RandomId("identity", byte_length=8, prefix="id-", opts=Options(delete_before_replace=True))

network = docker.Network("network", name=f"{prefix}-net", labels=labels, opts=inside)
data = docker.Volume("data", name=f"{prefix}-data", labels=labels, opts=Options(retain_on_delete=True, parent=group))
picture = docker.RemoteImage("image", name=image, keep_locally=True)
container = docker.Container(
    "container",
    name=f"{prefix}-c",
    image=picture.image_id,
    command=["/pause"],
    envs=[password.result.apply(lambda text: f"PASSWORD={text}"), f"STEP={step}"],
    labels=labels,
    memory=64,
    memory_swap=64,
    networks_advanced=[{"name": network.name, "aliases": ["alias"]}],
    volumes=[{"container_path": "/data", "volume_name": data.name}],
    stop_signal="SIGKILL",
    opts=Options(
        depends_on=[identity],
        custom_timeouts=pulumi.CustomTimeouts(create="5m", delete="1m"),
        delete_before_replace=True,
    ),
)
explicit = docker.Provider("explicit", host=os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
by = Options(provider=explicit) if step == "1" else Options()  # another provider is no reason for a replacement
docker.Volume("other", name=f"{prefix}-other", labels=labels, opts=Options.merge(by, Options(deleted_with=container)))
docker.Volume("ignoring", name=f"{prefix}-i", labels=labels, opts=Options(ignore_changes=["labels"]))
docker.Volume.get("seen", f"{prefix}-of-others")

Plain("plain")
note = Note("note", pulumi.Output.secret({"deep": [config.require("word"), 1, None, True]}), Options(parent=group))
Note("new-name" if step == "2" else "old-name", "same", Options(aliases=[pulumi.Alias(name="old-name")]))
Note("listening", note.text, Options(additional_secret_outputs=["text"], depends_on=[group]))
group.register_outputs({"network": network.name, "step": step})

reference = pulumi.StackReference("self-made", stack_name="organization/takeover/other")
pulumi.export("network", network.name)
pulumi.export("password", password.result)
pulumi.export("told", reference.get_output("told"))
pulumi.export("nothing", None)
pulumi.export("numbers", {"whole": 5432, "part": 1.5, "list": [1, "2"]})
