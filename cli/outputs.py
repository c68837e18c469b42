"""`strata outputs` and `strata contract`: what the stack tells its consumers, and the schema of that."""

import json
import sys
from typing import Annotated, Any

import typer

from cli.errors import CliError
from cli.options import JsonOption, StackOption
from cli.terminal import Terminal
from infra import reader
from infra.workspace import find


def outputs(
    name: Annotated[str | None, typer.Argument(help="Only this output, raw: for scripts.")] = None,
    stack: StackOption = "dev",
    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="In plain; otherwise `[secret]`.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Show a stack's outputs."""
    values = reader.read_outputs(find(stack), show_secrets=show_secrets)
    terminal = Terminal(json_output=json_output)
    if name is not None:
        if name not in values:
            raise CliError(f"current stack does not have output property '{name}'")
        text = values[name] if isinstance(values[name], str) and not json_output else _compact(values[name])
        sys.stdout.write(f"{text}\n")
    elif json_output:
        terminal.document(values)
    else:
        terminal.say(f"Current stack outputs ({len(values)}):")
        rows = [(key, value if isinstance(value, str) else _compact(value)) for key, value in sorted(values.items())]
        terminal.columns(*rows, indent="    ")


def contract(
    stack: StackOption = "dev",
    schema: Annotated[
        bool, typer.Option("--schema", help="The JSON Schema instead (docs/contract.schema.json).")
    ] = False,
) -> None:
    """Print a stack's contract as JSON, without passwords; or the contract's JSON Schema."""
    if schema:
        from infra.contract import schema_text

        sys.stdout.write(schema_text())
        return
    public = reader.load(stack).model_dump(mode="json", exclude={"credentials"}, exclude_none=True)
    sys.stdout.write(json.dumps(public, indent=2) + "\n")


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
