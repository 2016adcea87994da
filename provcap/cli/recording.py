"""The options that say how and what to record: the same for every command that records.

``add_options`` declares them, ``settings`` reads them, and ``words`` turns them into words again,
so that a recording in a guest is asked for in exactly the same way.
"""

import argparse
import mmap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from provcap.capture.cut import MOST_BYTES
from provcap.capture.redact import SECRETS
from provcap.disclose import DEFAULT_SOCKET
from provcap.errors import UsageError
from provcap.policy.addresses import rule, rules
from provcap.policy.model import Change, opaqueness, tracking
from provcap.services.disclosure import ANY, MODES
from provcap.services.record import DEFAULT_RING_BYTES, Settings

#: option -> what argparse makes of it; each takes one value, and those that append may be repeated
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "--ring-size": {
        "type": lambda word: _ring_bytes(word),
        "default": DEFAULT_RING_BYTES,
        "metavar": "BYTES",
        "help": "of one CPU, a power of two of pages (default %(default)s)",
    },
    "--compress-edge": {
        "choices": ("true", "false"),
        "default": "true",
        "help": "false: record every operation, also what the graph already has",
    },
    "--all": {
        "choices": ("true", "false"),
        "default": "true",
        "help": "false: record only what is tracked",
    },
    "--env": {
        "choices": ("true", "false"),
        "default": "false",
        "help": "true: record the environment of each program, too",
    },
    "--env-redact": {
        "action": "append",
        "default": [],
        "metavar": "PATTERN",
        "help": "leave out the values of variables with such names, beside those that look like "
        "secrets (may be repeated)",
    },
    "--segments": {
        "choices": ("true", "false"),
        "default": "false",
        "help": "true: record each segment of TCP as a packet, as datagrams are",
    },
    "--content": {
        "choices": ("true", "false"),
        "default": "false",
        "help": "true: record what is in packets, too",
    },
    "--content-bytes": {
        "type": lambda word: _content_bytes(word),
        "default": MOST_BYTES,
        "metavar": "BYTES",
        "help": "at most so many of each packet, from its network header on (default %(default)s)",
    },
    "--record-address": {
        "type": lambda word: _address(word),
        "action": "append",
        "default": [],
        "metavar": "RANGE",
        "help": "record the packets, with their content, of sockets that are bound (in:) or "
        "connected (out:) to such an address, as out:10.0.0.0/8:80 or [2001:db8::]/32 "
        "(may be repeated)",
    },
    "--track-file": {
        "action": "append",
        "default": [],
        "metavar": "PATH",
        "help": "track this file (may be repeated)",
    },
    "--propagate-file": {
        "action": "append",
        "default": [],
        "metavar": "PATH",
        "help": "track this file and all that comes of it (may be repeated)",
    },
    "--opaque-file": {
        "action": "append",
        "default": [],
        "metavar": "PATH",
        "help": "record nothing that touches this file (may be repeated)",
    },
    "--disclose": {
        "choices": MODES,
        "default": ANY,
        "help": "whose applications may disclose what they do (default %(default)s)",
    },
    "--disclose-socket": {
        "type": Path,
        "default": DEFAULT_SOCKET,
        "metavar": "PATH",
        "help": "where they do (default %(default)s)",
    },
}

_MARKS: Mapping[str, Callable[[], Change]] = {
    "track_file": lambda: tracking("true"),
    "propagate_file": lambda: tracking("propagate"),
    "opaque_file": lambda: opaqueness("true"),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare every option."""
    group = parser.add_argument_group("what to record, and how")
    for name, about in OPTIONS.items():
        group.add_argument(name, **about)


def settings(args: argparse.Namespace) -> Settings:
    """What the options ask for."""
    return Settings(
        ring_bytes=args.ring_size,
        edge_compression=args.compress_edge == "true",
        all=args.all == "true",
        disclose=args.disclose,
        disclose_socket=args.disclose_socket,
        environment=args.env == "true",
        redact=(*SECRETS, *args.env_redact),
        segments=args.segments == "true",
        content=args.content == "true",
        content_bytes=args.content_bytes,
        recorded=rules(args.record_address),
        marks=tuple(
            (path, change()) for name, change in _MARKS.items() for path in getattr(args, name)
        ),
    )


def words(args: argparse.Namespace) -> list[str]:
    """The options as they have to be written to mean the same again; UsageError if they cannot."""
    rules(args.record_address)  # what is wrong with them is said before a guest is started
    found: list[str] = []
    for name in OPTIONS:
        value = getattr(args, name.removeprefix("--").replace("-", "_"))
        # written in one word, so that a path may begin with a hyphen
        found += [f"{name}={each}" for each in (value if isinstance(value, list) else [value])]
    return found


def _address(word: str) -> str:
    """The word itself, which has been read: it may have to be said again to a guest."""
    try:
        rule(word)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return word


def _content_bytes(word: str) -> int:
    number = int(word) if word.isascii() and word.isdecimal() and len(word) < 6 else 0
    if not 1 <= number <= MOST_BYTES:
        raise argparse.ArgumentTypeError(f"{word!r} is not a number from 1 to {MOST_BYTES}")
    return number


def _ring_bytes(word: str) -> int:
    """Asked here, before a recording that is there already is replaced."""
    number = int(word) if word.isdecimal() else 0
    if number < mmap.PAGESIZE or number & (number - 1):
        raise argparse.ArgumentTypeError(
            f"{word!r} is not a power of two of at least {mmap.PAGESIZE}"
        )
    return number
