import pytest

from engine.providers.docker.formats import (
    format_cpus,
    format_duration,
    is_cpus,
    is_duration,
    is_environment,
    parse_cpus,
    parse_duration,
)


@pytest.mark.parametrize(
    ("text", "nanoseconds", "read_back"),
    [
        ("0s", 0, "0s"),
        ("0", 0, "0s"),
        ("10s", 10 * 10**9, "10s"),
        ("90s", 90 * 10**9, "1m30s"),
        ("1h", 3600 * 10**9, "1h0m0s"),
        ("1.5s", 1_500_000_000, "1.5s"),
        ("500ms", 500_000_000, "500ms"),
        ("1.5ms", 1_500_000, "1.5ms"),
        ("3us", 3000, "3µs"),
        ("7ns", 7, "7ns"),
    ],
)
def test_durations_are_read_and_written_as_go_does(text: str, nanoseconds: int, read_back: str) -> None:
    assert parse_duration(text) == nanoseconds
    assert format_duration(nanoseconds) == read_back


@pytest.mark.parametrize("text", ["", "10", "10 s", "s", "-3s", "ten"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    assert "is not a duration" in str(is_duration(text))


def test_a_duration_that_docker_would_spell_otherwise_is_refused_with_that_spelling() -> None:
    """Accepted, it would be an edit in every plan of the official provider."""
    assert is_duration("1m30s") is None
    assert is_duration("90s") == 'write "1m30s" instead of "90s": Docker reads it back so'


@pytest.mark.parametrize(
    ("text", "recorded"),
    [("1.5", "1.5"), ("1", "1.0"), ("2", "2.0"), ("0.25", "0.25"), ("0.5", "0.5"), ("1.50", "1.5")],
)
def test_cpus_are_recorded_as_the_official_provider_does(text: str, recorded: str) -> None:
    assert format_cpus(parse_cpus(text)) == recorded


def test_cpus_are_accepted_only_as_they_are_recorded() -> None:
    """The other spelling would replace the container in every plan."""
    assert is_cpus("1.0") is None
    assert is_cpus("1") == 'write "1.0" instead of "1": it is recorded so'
    assert "is not a number of CPUs" in str(is_cpus("many"))
    assert "is not a number of CPUs" in str(is_cpus("nan"))


def test_a_wrong_environment_entry_is_not_repeated_in_the_message() -> None:
    assert is_environment("PASSWORD=") is None
    assert "hunter2" not in str(is_environment("hunter2"))
    assert is_environment("=hunter2") is not None
