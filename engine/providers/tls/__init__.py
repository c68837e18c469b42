"""The package `tls`: keys, requests and certificates, with the shapes of the official provider (5.x).

Nothing of it is outside of the state. A certificate inside its early renewal window is planned for replacement in
every plan. What makes and signs is imported when something is made: most plans only compare.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal

from engine.providers.base import Call, Diff, Old, Properties, ProviderError
from engine.providers.tls import renewal, schema

Say = Callable[[str, Literal["info", "warning", "error"]], None]

# What each type has besides its settings; without it an entry was not read from a state.
_MADE: Final = {schema.PRIVATE_KEY: "privateKeyPem", schema.REQUEST: "certRequestPem"}


class TlsProvider:
    """`say` takes what the user should know; `now` is the time of a plan and of what is made."""

    def __init__(self, say: Say, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._say, self._now = say, now

    def configure(self, config: Mapping[str, Any]) -> None:
        """Nothing to configure: the official provider's proxy is for functions."""

    def check(self, call: Call, old_inputs: Properties | None, inputs: Properties) -> Properties:
        return schema.checked(call.type, inputs)

    def diff(self, call: Call, old: Old, inputs: Properties) -> Diff:
        before, after = schema.settings(call.type, old.outputs), schema.settings(call.type, inputs)
        for key in schema.KEPT & before.keys():
            after.setdefault(key, before[key])
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        replaces = changed - schema.IN_PLACE
        if renewal.due(old.outputs, after, self._now()):
            replaces.add(renewal.READY)
        changed |= replaces
        if not replaces and old.outputs.get(renewal.READY):
            changed.add(renewal.READY)  # a refresh found it ready, and by its settings of now it is not
        return Diff(bool(changed), replaces=tuple(sorted(replaces)), paths=tuple(sorted(changed)))

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        from engine.providers.tls import certificates, keys

        settings = schema.settings(call.type, inputs)

        def warn(text: str) -> None:
            self._say(f"{call.name}: {text}", "warning")

        match call.type:
            case schema.PRIVATE_KEY:
                made = keys.created(settings)
            case schema.REQUEST:
                made = certificates.request(settings)
            case schema.SELF_SIGNED:
                made = certificates.self_signed(settings, self._now(), warn)
            case _:
                made = certificates.locally_signed(settings, self._now(), warn)
        return made["id"], {**settings, **made}

    def read(self, call: Call, old: Old) -> Old | None:
        """What the state has is all there is. Time alone changes something: a certificate becomes ready for renewal."""
        made = _MADE.get(call.type, "certPem")
        if made not in old.outputs:
            name = call.type.rpartition(":")[2]
            raise ProviderError(
                f"{name}.get({call.name!r}): it is nowhere but in the state of the stack that made it: export what you "
                "need of it there, and take it with a StackReference"
            )
        if not renewal.due(old.outputs, schema.settings(call.type, old.outputs), self._now()):
            return old
        return Old(old.id, old.inputs, {**old.outputs, renewal.READY: True})

    def update(self, call: Call, old: Old, inputs: Properties) -> Properties:
        outputs = {**old.outputs, **schema.settings(call.type, inputs)}
        return {**outputs, renewal.READY: False} if renewal.READY in outputs else outputs

    def delete(self, call: Call, old: Old) -> None:
        """There is nothing outside of the state: a certificate that was given out is valid until its end."""

    def invoke(self, token: str, args: Properties) -> Properties:
        raise ProviderError(f"{token}: the embedded engine has no functions of package tls")

    def close(self) -> None:
        """Nothing is open."""
