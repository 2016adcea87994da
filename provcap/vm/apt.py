"""Finds and fetches Debian packages by apt, of this machine's release or of a later one.

Public: :class:`Apt`. The machine's own lists and configuration are read and never written: for a
later suite apt gets a state of its own, with the source that this machine has for Debian.
"""

import os
import re
import subprocess
from pathlib import Path

from provcap.errors import SetupError

ADVICE = "check the network and run `apt-get update`"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class Apt:
    """apt with the sources of this machine, or of one other suite."""

    def __init__(self, *options: str) -> None:
        """``options`` go before every command, as ``-o`` takes them; see :meth:`later`."""
        self._options = [word for option in options for word in ("-o", option)]

    @classmethod
    def later(cls, suite: str, folder: Path) -> "Apt":
        """apt for ``suite`` of the Debian source of this machine; keeps its state in ``folder``."""
        for place in ("state/lists/partial", "cache/archives/partial"):
            (folder / place).mkdir(parents=True)
        sources = folder / "later.sources"
        sources.write_text(_entry(_debian_source(), suite))
        apt = cls(
            f"Dir::State={folder / 'state'}",
            "Dir::State::status=/var/lib/dpkg/status",
            f"Dir::Cache={folder / 'cache'}",
            f"Dir::Etc::sourcelist={sources}",
            "Dir::Etc::sourceparts=-",
            "Dir::Etc::preferences=-",
            "Dir::Etc::preferencesparts=-",
            "Acquire::Languages=none",
            # apt would drop to its own user, which may not write here
            "APT::Sandbox::User=root",
        )
        tool(["apt-get", "-qq", *apt._options, "update"], "check the network")
        return apt

    def dependencies(self, package: str) -> list[str]:
        """The packages that ``package`` cannot be without; none if apt does not know it."""
        answer = tool(["apt-cache", *self._options, "depends", package], "run `apt-get update`")
        return re.findall(r"^ +Depends: (\S+)", answer, re.M)

    def unpack(self, packages: list[str], work: Path) -> Path:
        """Fetch these into ``work`` and unpack them there; returns the tree."""
        options = [*self._options, "-o", "APT::Sandbox::User=root"]
        tool(["apt-get", "-qq", *options, "download", *packages], ADVICE, cwd=work)
        archives = sorted(work.glob("*.deb"))
        if len(archives) < len(packages):
            raise SetupError(f"apt-get downloaded no {' '.join(packages)}: {ADVICE}")
        tree = work / "tree"
        for archive in archives:
            tool(["dpkg", "-x", str(archive), str(tree)], "free some disk space and try again")
        return tree


def tool(command: list[str], advice: str, cwd: Path | None = None) -> str:
    """The output of ``command``; SetupError with ``advice`` when it is missing or fails."""
    environment = {**os.environ, "LC_ALL": "C"}  # its answers are read
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise SetupError(f"{command[0]} is missing: kernels are fetched on Debian only") from error
    if done.returncode:
        said = (done.stderr.strip() or f"status {done.returncode}").splitlines()[-1]
        raise SetupError(f"{' '.join(command[:2])} failed ({said}): {advice}")
    return done.stdout


def _debian_source() -> str:
    """Where this machine gets Debian itself from, as its sources say."""
    asked = ["apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages"]
    for line in tool(asked, "run `apt-get update`").splitlines():
        label, _, uri = line.partition(" ")
        if label == "Debian":
            return uri
    raise SetupError("no source of apt here is Debian's: run `apt-get update`, or see sources.list")


def _entry(uri: str, suite: str) -> str:
    lines = ["Types: deb", f"URIs: {uri}", f"Suites: {suite}", "Components: main"]
    if _KEYRING.is_file():
        lines.append(f"Signed-By: {_KEYRING}")
    return "\n".join([*lines, ""])
