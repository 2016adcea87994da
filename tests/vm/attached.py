"""Says what of provcap is loaded and pinned, and what a second loader would find, as JSON."""

import json
import subprocess
from pathlib import Path

from provcap.bpf import loader
from provcap.bpf.layout import object_layout
from provcap.bpf.pins import ROOT
from provcap.errors import LayoutError


def found(fingerprint: bytes) -> str:
    """How many programs of a capture with this layout are attached, or why it is refused."""
    try:
        capture = loader.find_pinned(fingerprint)
    except LayoutError:
        return "LayoutError"
    if capture is None:
        return "none"
    with capture:
        return str(len(capture.attached()))


def verified() -> dict[str, int]:
    """How many instructions of each program of the capture the verifier has looked at."""
    capture = loader.find_pinned(fingerprint)
    if capture is None:
        return {}
    with capture:
        return {name: program.verified for name, program in capture.programs().items()}


def programs() -> list[str]:
    """Every loaded program that is the security module's or a probe's."""
    done = subprocess.run(["bpftool", "-j", "prog"], capture_output=True, check=True)
    kinds = ("lsm", "tracing")
    return sorted(p["name"] for p in json.loads(done.stdout) if p["type"] in kinds)


fingerprint = object_layout(loader.read_object(loader.find_object())).fingerprint()
print(
    json.dumps(
        {
            "programs": programs(),
            "pinned": sorted(str(p.relative_to(ROOT)) for p in Path(ROOT).rglob("*")),
            "verified": verified(),
            "found": found(fingerprint),
            "forged": found(bytes(32)),
        }
    )
)
