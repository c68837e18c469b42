"""Turns pydantic's findings into messages that a user can act on: file, key, value, and the line to write."""

import difflib
import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)


class SettingsError(Exception):
    """A mistake in what the user wrote. The text is what the user reads."""


def validate(model: type[Model], raw: Mapping[str, Any], *, file: str, namespace: str | None = None) -> Model:
    """`raw` as `model`. Raises SettingsError with one paragraph per mistake."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise SettingsError("\n".join(_explain(model, detail, file, namespace) for detail in details)) from None


def _explain(model: type[BaseModel], detail: ErrorDetails, file: str, namespace: str | None) -> str:
    path = [str(part) for part in detail["loc"] if not _is_tag(model, detail["loc"], part)]
    field, siblings = _find(model, path)
    where = _spell(path, namespace)
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(path[-1], siblings, n=1)
        hint = f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(sorted(siblings))}."
        return f"{file}: unknown key `{where}`. {hint}"
    if detail["type"] == "missing":
        return f"{file}: `{where}` is missing. Write:\n{_example(path, field, namespace)}"
    if detail["type"] == "union_tag_invalid":
        context = detail["ctx"]
        where, got, reason = (
            f"{where}.kind",
            f" is {json.dumps(context['tag'])}",
            f"write one of {context['expected_tags']}",
        )
        return f"{file}: `{where}`{got}: {reason}"
    reason = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    got = (
        "" if isinstance(detail["input"], Mapping | list | tuple) else f" is {json.dumps(detail['input'], default=str)}"
    )
    if not path:
        return f"{file}: {reason}"
    example = _example(path, field, namespace)
    return f"{file}: `{where}`{got}: {reason}." + (f" Write for instance:\n{example}" if example else "")


def _is_tag(model: type[BaseModel], loc: tuple[int | str, ...], part: int | str) -> bool:
    """Pydantic puts the chosen member of a discriminated union into the path; no user wrote that."""
    index = loc.index(part)
    if index == 0:
        return False
    field = model.model_fields.get(str(loc[0]))
    return index == 1 and field is not None and field.discriminator is not None


def _find(model: type[BaseModel], path: list[str]) -> tuple[FieldInfo | None, list[str]]:
    """The field at `path` where there is one, and the keys known beside it."""
    models: list[type[BaseModel]] = [model]
    field: FieldInfo | None = None
    named = False
    for part in path:
        if named:  # a name that the user chose, of one entry
            named = False
            continue
        siblings = [name for m in models for name in m.model_fields]
        field = next((m.model_fields[part] for m in models if part in m.model_fields), None)
        if field is None:
            return None, siblings
        models, named = list(_models(field.annotation)), _has_names(field.annotation)
        if not models:
            return field, siblings
    return field, [name for m in models for name in m.model_fields]


def _has_names(annotation: Any) -> bool:
    return get_origin(annotation) is dict or any(_has_names(argument) for argument in get_args(annotation))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _spell(path: list[str], namespace: str | None) -> str:
    spelled = ".".join(path)
    return f"{namespace}:{spelled}" if namespace else spelled


def _example(path: list[str], field: FieldInfo | None, namespace: str | None) -> str:
    """The YAML to write at `path`: the field's first example, or those of its required keys."""
    value = _example_of(field) if field else None
    keys = [part for part in path if not part.isdigit()]
    if value is None or not keys:
        return ""
    for key in reversed(keys[1:]):
        value = {key: value}
    text = yaml.safe_dump({_spell(keys[:1], namespace): value}, sort_keys=False)
    return textwrap.indent(text.rstrip(), "  ")


def _example_of(field: FieldInfo) -> Any:
    if field.examples:
        return field.examples[0]
    if field.discriminator:
        return None
    return {
        name: example
        for model in _models(field.annotation)
        for name, child in model.model_fields.items()
        if child.is_required() and (example := _example_of(child)) is not None
    } or None
