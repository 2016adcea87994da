"""Every error that provcap raises on purpose, in one tree.

    ProvcapError
    +-- UsageError          the words on the command line make no sense
    |   +-- CommandNotFound the command to record does not exist
    +-- SetupError          a tool, package or privilege is missing; says what to install
    +-- KernelError         the running kernel cannot do what is asked
    |   +-- LoadError       libbpf or the verifier refused the object
    |   +-- LayoutError     pinned maps belong to another build of the kernel object
    +-- RecordingError      a recording cannot be read
    |   +-- TruncatedError  it ends in the middle; carries what was readable
    +-- DisclosureError     the recorder did not take what an application disclosed
    +-- OutputError         an output cannot be written (disk full, no such directory)
    +-- GuestError          the virtual machine failed
        +-- GuestDied       the guest kernel panicked or QEMU ended early

The text of each is one sentence for a person: what is wrong, where, what to do.
Raise where it is known; catch in ``cli/`` and ``services/`` only.
"""


class ProvcapError(Exception):
    """Base of all; ``exit_status`` is what a command that meets it returns."""

    exit_status = 1


class UsageError(ProvcapError):
    """The words on the command line make no sense."""

    exit_status = 2


class CommandNotFound(UsageError):
    """The command to record does not exist."""

    exit_status = 127  # what a shell says of it


class SetupError(ProvcapError):
    """A tool, package or privilege is missing."""


class KernelError(ProvcapError):
    """The running kernel cannot do what is asked."""


class LoadError(KernelError):
    """libbpf or the verifier refused the object."""


class LayoutError(KernelError):
    """Pinned maps belong to another build of the kernel object."""


class RecordingError(ProvcapError):
    """A recording cannot be read."""


class TruncatedError(RecordingError):
    """A recording ends in the middle of a record; what came before is intact."""


class DisclosureError(ProvcapError):
    """The recorder did not take what an application disclosed."""


class OutputError(ProvcapError):
    """An output cannot be written."""


class GuestError(ProvcapError):
    """The virtual machine could not do its work."""


class GuestDied(GuestError):
    """The guest kernel panicked or QEMU ended before the command did."""
