"""An image of two static programs, `/pause` and `/quit`, as machine code: it needs no registry and no compiler."""

import io
import platform
import struct
import tarfile

import pytest

_LOAD_ADDRESS = 0x400000
_HEADERS = 64 + 56  # an ELF header and one program header

# Per machine: ELF's number of it, "wait for signals forever", "exit with status 3".
_MACHINES = {
    "x86_64": (62, "b8220000000f05ebf7", "bf03000000b83c0000000f05"),
    "aarch64": (183, "000080d2010080d2020080d2030080d2280980d2010000d4faffff17", "600080d2a80b80d2010000d4"),
}


def archive() -> bytes:
    """A tar file of the root file system."""
    if platform.machine() not in _MACHINES:
        pytest.skip(f"the test image has no machine code for {platform.machine()}")
    machine, pause, leave = _MACHINES[platform.machine()]
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name, code in (("pause", pause), ("quit", leave)):
            program = _executable(machine, bytes.fromhex(code))
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(program), 0o755
            tar.addfile(entry, io.BytesIO(program))
    return content.getvalue()


def _executable(machine: int, code: bytes) -> bytes:
    identity = b"\x7fELF\x02\x01\x01" + bytes(9)
    entry = _LOAD_ADDRESS + _HEADERS
    header = struct.pack("<16sHHIQQQIHHHHHH", identity, 2, machine, 1, entry, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    size = _HEADERS + len(code)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _LOAD_ADDRESS, _LOAD_ADDRESS, size, size, 0x1000)
    return header + segment + code
