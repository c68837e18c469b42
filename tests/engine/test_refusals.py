"""What keeps a program from being carried out is one clear error, and changes nothing."""

import pytest

from engine import api
from tests.engine.stack import Stack


@pytest.mark.parametrize(
    ("program", "texts"),
    [
        ('raise ValueError("broken")', ["Program failed with an unhandled exception", "ValueError: broken"]),
        ('raise pulumi.RunError("please set a colour")', ["error: please set a colour"]),
        ("import sys; sys.exit(3)", ["the program exited with code 3"]),
        ('pulumi.log.error("not like this")', ["error: not like this"]),
        ('pulumi.CustomResource("gcp:storage:Bucket", "b")', ["no provider for package 'gcp'"]),
        ('Thing("a", ResourceOptions(import_="x"))', ["test:index:Thing 'a' uses import_"]),
        ('Thing("a", ResourceOptions(id="x"))', ["test:index:Thing 'a': there is none with the id 'x'"]),
        ('Thing("a", ResourceOptions(transforms=[lambda args: None]))', ["test:index:Thing 'a' uses transforms"]),
        ('Thing("a", ResourceOptions(replacement_trigger=1))', ["test:index:Thing 'a' uses replacement_trigger"]),
        ('pulumi.StackReference("org/other/dev")', ["'org/other/dev'", "write organization/other/dev"]),
        ('pulumi.StackReference("other")', ["stack reference 'other': no such stack"]),
        ('pulumi.StackReference("a/b/c/d")', ["'a/b/c/d': write organization/<project>/<stack>"]),
        ('pulumi.Stash("s", input=1)', ["pulumi:index:Stash is not supported by the embedded engine"]),
        ("pulumi.runtime.register_stack_transform(lambda args: None)", ["a stack transform is not supported"]),
        ('pulumi.ResourceHook("hook", lambda args: None)', ["the resource hook 'hook' is not supported"]),
    ],
)
def test_a_program_that_cannot_be_carried_out_changes_nothing(stack: Stack, program: str, texts: list[str]) -> None:
    refused = stack.up('Thing("first")\n' + program)
    assert refused.result.exit_code == 1
    for text in texts:
        assert text in refused.text
    assert ("Traceback" in refused.text) == ("ValueError" in program)
    assert refused.text.startswith("Previewing update (dev):")
    assert "created" not in refused.text
    assert stack.cloud.calls() == []
    assert not stack.files.exists()


def test_an_interpreter_without_the_sdk_is_told(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    (stack.folder / "pulumi.py").write_text('raise ImportError("no SDK here")')
    monkeypatch.setenv("PYTHONPATH", str(stack.folder))
    failed = stack.up('Thing("a")')
    assert failed.result.exit_code == 1
    assert "ImportError: no SDK here" in failed.text
    assert "the program exited with code 1" in failed.text


def test_what_is_missing_or_wrong_before_a_run_is_one_clear_error(stack: Stack) -> None:
    with pytest.raises(api.EngineError, match="no stack named 'dev'") as missing:
        stack.destroy()
    assert missing.value.exit_code == api.ExitCode.STACK_NOT_FOUND
    with pytest.raises(api.EngineError):
        api.outputs(stack.workspace, show_secrets=False)
    stack.up('Thing("a")')
    stack.workspace = api.Workspace(
        root=stack.folder, stack="dev", backend_url=stack.workspace.backend_url, passphrase="wrong"
    )
    with pytest.raises(api.EngineError, match="passphrase"):
        stack.preview()
