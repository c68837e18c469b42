"""`strata images`: builds the local images, lists them, and says which are missing."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import JsonOption
from cli.terminal import Terminal

if TYPE_CHECKING:
    from infra.settings import Settings

app = typer.Typer(help="Images that are built on this host, where no registry can be reached.", no_args_is_help=True)


@app.command()
def build(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Default: all.")] = None,
    json_output: JsonOption = False,
) -> None:
    """Build what is missing. An interrupted build goes on where it was."""
    import images  # with Docker's client half a second: not before it is needed

    terminal = Terminal(json_output=json_output)
    built = images.build(names or images.recipes.load(), terminal.say)
    if json_output:
        terminal.document({"images": built})
    else:
        for image in built:
            terminal.say(image)


@app.command("list")
def list_(json_output: JsonOption = False) -> None:
    """Show the local images, and those that an older recipe left behind."""
    import images

    terminal = Terminal(json_output=json_output)
    found = images.list_images()
    if json_output:
        documents = [{"name": i.name, "image": i.image, "wanted": i.wanted, "bytes": i.size} for i in found]
        terminal.document({"images": documents})
        return
    rows = [(i.name, i.image, _size(i.size), "yes" if i.wanted else "no") for i in found]
    terminal.columns(("NAME", "IMAGE", "SIZE", "USED"), *rows)


@app.command()
def lock(json_output: JsonOption = False) -> None:
    """Ask the registries for the digests of the official images, and write them to images/lock.yaml."""
    import images

    terminal = Terminal(json_output=json_output)
    changed = images.renew_lock(terminal.say)
    if json_output:
        terminal.document({"changed": changed})
    else:
        terminal.say(
            "images/lock.yaml is changed: review and commit it." if changed else "images/lock.yaml is current."
        )


def ensure(settings: "Settings", terminal: Terminal) -> None:
    """Builds the stack's missing local images. Raises ImageError where this host cannot."""
    import images
    from infra.platforms import local_images

    wanted = local_images(settings)
    if wanted and (missing := images.missing(wanted.backends, docker_host=wanted.docker_host)):
        terminal.say(f"Building the missing local images: {', '.join(missing)}")
        images.build(missing, terminal.say, docker_host=wanted.docker_host)


def _size(size: int | None) -> str:
    return "not built" if size is None else f"{size / 1e6:.0f} MB"
