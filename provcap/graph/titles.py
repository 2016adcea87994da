"""The words of a tree: what an object is called and how a relation reads.

Everything recorded may be chosen by an attacker, so ``clean`` is applied to all of it: no control
character, no direction mark, no invalid byte reaches a terminal.
"""

import posixpath
import shlex
from collections.abc import Iterable, Sequence

from provcap.graph.model import Graph

MAX_ARGUMENTS = 120  # characters of an argument list before it is cut

# relation -> how "parent VERB child" reads, most telling first
VERBS = {
    "write": "written by",
    "send": "sent by",
    "send_msg": "sent by",
    "send_msg_queue": "sent by",
    "sh_write": "written by",
    "sh_detach": "left by",
    "relay": "relayed from",
    "read": "read",
    "receive": "received from",
    "receive_msg": "received from",
    "receive_msg_queue": "received",
    "sh_read": "read (mapped)",
    "sh_attach_read": "attached",
    "mmap": "mapped",
    "exec": "executed",
    "load_file": "loaded",
    "read_link": "read",
    "getxattr": "read attribute",
    "listxattr": "listed attributes of",
    "log": "logged",
    "file_rcv": "was handed",
    "file_snd": "handed over",
    "mmap_private": "mapped",
    "exec_task": "started by",
    "clone": "started by",
    "clone_mem": "started by",
    "setattr": "attributes changed by",
    "setxattr": "attribute set by",
    "removexattr": "attribute removed by",
    "rename": "renamed by",
    "link": "linked by",
    "unlink": "unlinked by",
    "exchange": "exchanged by",
    "replace": "replaced by",
    "rmdir": "removed by",
    "inode_create": "created by",
    "mkdir": "created by",
    "mknod": "created by",
    "tmpfile": "created by",
    "symlink": "created by",
    "msg_create": "created by",
    "sh_create": "created by",
    "sh_attach": "attached by",
    "connect": "connected by",
    "connect_unix_stream": "connected by",
    "accept": "accepted",
    "bind": "opened by",
    "listen": "opened by",
    "socket_create": "created by",
    "socket_pair_create": "created by",
    "ptrace_attach": "traced by",
    "ptrace_attach_task": "traced by",
    "ptrace_read": "read the memory of",
    "ptrace_read_task": "read the memory of",
    "memory_write": "memory written by",
    "memory_read": "read the memory of",
    "setuid": "identity changed by",
    "write_ioctl": "controlled by",
    "read_ioctl": "queried",
    "getxattr_inode": "of",
    "open": "opened",
    "getattr": "looked at",
    "perm_check": "passed through",
    "search": "searched",
    "file_lock": "locked by",
    "setpgid": "moved to a process group by",
    "getpgid": "asked for the process group of",
    "load_module": "loaded by",
    "load_firmware": "loaded by",
    "load_kexec_image": "loaded by",
    "load_kexec_initramfs": "loaded by",
    "load_policy": "loaded by",
    "load_certificate": "loaded by",
    "load_unknown": "loaded by",
    "load_undefined": "loaded by",
    "env": "environment",
    "named": "named",
    "unnamed": "no longer named",
    "addressed": "addressed",
    "ran_on": "ran on",
}
CHANGED = frozenset(VERBS[name] for name in ("setattr", "setxattr", "removexattr"))
_RANK = {relation: rank for rank, relation in enumerate(VERBS)}
STARTED, STARTS = "started by", "starts"

# relation -> how "sender VERB receiver" reads on an arrow, most telling first; else its own name
FLOW_VERBS = {
    "write": "writes",
    "send": "sends",
    "send_msg": "sends",
    "send_msg_queue": "sends",
    "sh_write": "writes",
    "sh_detach": "detaches",
    "relay": "relayed to",
    "splice_out": "writes",
    "exec": "executed by",
    "clone": STARTS,
    "clone_mem": STARTS,
    "exec_task": STARTS,
    "read": "read by",
    "receive": "received by",
    "receive_msg": "received by",
    "receive_msg_queue": "received by",
    "sh_read": "read by",
    "sh_attach_read": "attached by",
    "mmap": "mapped by",
    "mmap_private": "mapped by",
    "load_file": "loaded by",
    "read_link": "link read by",
    "getxattr": "attribute read by",
    "listxattr": "attributes listed by",
    "file_rcv": "handed to",
    "setattr": "changes attributes",
    "setxattr": "sets attribute",
    "removexattr": "removes attribute",
    "rename": "renames",
    "link": "links",
    "unlink": "unlinks",
    "exchange": "exchanges",
    "replace": "replaces",
    "rmdir": "removes",
    "symlink": "creates",
    "inode_create": "creates",
    "mkdir": "creates",
    "mknod": "creates",
    "tmpfile": "creates",
    "msg_create": "creates",
    "sh_create": "creates",
    "sh_attach": "attaches",
    "accept_socket": "accepted as",
    "accept": "accepted by",
    "connect": "connects",
    "connect_unix_stream": "connects",
    "bind": "opens",
    "listen": "opens",
    "socket_create": "creates",
    "socket_pair_create": "creates",
    "ptrace_attach": "traces",
    "ptrace_attach_task": "traces",
    "ptrace_read": "read by",
    "ptrace_read_task": "read by",
    "setuid": "changes identity",
    "write_ioctl": "controls",
    "read_ioctl": "queried by",
    "memory_write": "fills",
    "memory_read": "used by",
    "open": "opened by",
    "getattr": "looked at by",
    "perm_check": "passed by",
    "search": "searched by",
    "file_lock": "locks",
    "ran_on": "ran",
    "version_activity": "next version",
    "version_entity": "next version",
    "terminate_task": "ends",
    "terminate_proc": "ends",
    "free": "ends",
}
_FLOW_RANK = {relation: rank for rank, relation in enumerate(FLOW_VERBS)}

_PLAIN_NAMES = {
    "pipe": "pipe",
    "shm": "shared memory",
    "msg": "message",
    "eventfd": "counter",
    "iattr": "attribute change",
    "socket": "socket",
    "stream": "socket",
    "packet": "socket",
    "process_memory": "process",
    "task": "process",
}
_TERMINALS = ("/dev/pts/", "/dev/tty", "/dev/console")


def clean(text: str) -> str:
    """Return text that is safe to print: other characters become ``\\x1b``, ``\\u202e`` ..."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, as Python reads it
        code -= 0xDC00
    elif 0xF780 <= code <= 0xF7FF:  # and as our logs write it
        code -= 0xF700
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def verb(relations: Iterable[str]) -> str:
    """Return how several relations between the same two things read: as the most telling one."""
    best = min(relations, key=lambda relation: _RANK.get(relation, len(_RANK)))
    return VERBS.get(best, clean(best).replace("_", " "))


def flow_verb(relations: Iterable[str]) -> str:
    """Return how several relations from one thing to another read on an arrow."""
    best = min(relations, key=lambda relation: _FLOW_RANK.get(relation, len(_FLOW_RANK)))
    return FLOW_VERBS.get(best, clean(best).replace("_", " "))


def _further_names(others: Sequence[str], former: Sequence[str], there: bool) -> str:
    """Return what follows the first name: other ones, those that it had, or that none is left."""
    words = [] if there else ["removed"]
    if others:
        words.append(f"also {', '.join(others[:2])}")
    if former:
        words.append(f"was {', '.join(former[:2])}")
    return f" ({'; '.join(words)})" if words else ""


def is_terminal(kind: str, title: str) -> bool:
    """Say whether a node of this type with this name or title is a terminal."""
    return kind == "char" and title.removeprefix("terminal ").startswith(_TERMINALS)


class Titles:
    """Names the groups of one graph."""

    def __init__(self, graph: Graph) -> None:
        """Collect arguments and addresses once."""
        self._graph = graph
        self._arguments = self._texts_by_receiver("arg")
        self._addresses = self._texts_by_receiver("addressed")

    def _texts_by_receiver(self, relation: str) -> dict[int, list[str]]:
        """Return the texts sent to each object by a relation, in order of their node ids."""
        graph = self._graph
        found: dict[int, dict[int, str]] = {}
        for edge in graph.edges_named((relation,)):
            text_object = graph.object_of[graph.sender[edge]]
            texts = found.setdefault(graph.object_of[graph.receiver[edge]], {})
            texts[text_object] = graph.texts.get(text_object, "")
        order = graph.object_id.__getitem__
        return {obj: [texts[o] for o in sorted(texts, key=order)] for obj, texts in found.items()}

    def path(self, obj: int) -> str:
        """Return the newest path of an object, empty if it has none; not cleaned."""
        return next(iter(self._graph.names(obj)), "")

    def program(self, obj: int) -> str:
        """Return the short name of a process: of its executable, else what it calls itself."""
        argv = self._arguments.get(obj) or [""]
        name = self.path(obj) or self._graph.comms.get(obj) or argv[0]
        return clean(posixpath.basename(name) or name) or "process"

    def arguments(self, obj: int) -> list[str]:
        """Return the arguments of a process as a shell would take them."""
        return [shlex.quote(clean(word)) for word in self._arguments.get(obj, ())]

    def process(self, obj: int, pid: int, task: int | None) -> tuple[str, str]:
        """Return title and arguments of a process, e.g. ``sort (pid 231)`` and ``sort -n words``.

        ``obj`` is its memory, ``task`` one of its threads if known; ``pid`` 0 is not shown.
        """
        name = self.program(obj)
        if task is not None and name == "process":
            name = self.program(task)
        argv = " ".join(self.arguments(obj))
        if len(argv) > MAX_ARGUMENTS:
            argv = argv[:MAX_ARGUMENTS] + " ..."
        return (f"{name} (pid {pid})" if pid else name), ("" if argv == name else argv)

    def connection(self, nodes: Sequence[int]) -> str:
        """Return ``socket RECEIVER <- SENDER`` for the nodes of a connection, the newest first."""
        graph = self._graph
        objects = [graph.object_of[node] for node in nodes]
        for obj in objects:
            if obj in graph.links:
                sender, receiver = map(clean, graph.links[obj])
                return f"socket {receiver} <- {sender}"
        for obj in objects:
            if address := self._addresses.get(obj) or graph.names(obj):
                return f"socket {clean(address[-1])}"
        return "socket"

    def addresses(self, objects: Iterable[int]) -> str:
        """Return both ends of a connection with the direction of its bytes, empty if unknown."""
        links = self._graph.links
        pairs = list(dict.fromkeys(links[obj] for obj in objects if obj in links))
        if not pairs:
            return ""
        sender, receiver = map(clean, pairs[0])
        arrow = "\u2194" if pairs[0][::-1] in pairs else "\u2192"
        return f"{sender} {arrow} {receiver}"

    def change(self, nodes: Iterable[int]) -> str:
        """Return what was changed, in order and each thing once: ``mode 0600; size 0``."""
        graph = self._graph
        found = (graph.changes.get(graph.object_of[node], "") for node in nodes)
        return "; ".join(dict.fromkeys(clean(change) for change in found if change))

    def further_names(self, node: int) -> str:
        """Return what to say of the other names behind the first: `` (was /tmp/x)``, or nothing."""
        obj = self._graph.object_of[node]
        names = [clean(name) for name in self._graph.names(obj)]
        now = [clean(name) for name in self._graph.names(obj) if self._graph.has_name(obj, name)]
        return _further_names(now[1:], names[max(len(now), 1) :], bool(now)) if names else ""

    def entity(self, node: int) -> str:
        """Return the title of a file, pipe, device or anything else."""
        graph = self._graph
        obj, kind = graph.object_of[node], graph.kind(node)
        names = [clean(name) for name in graph.names(obj)]
        text = clean(graph.texts.get(obj, ""))
        if kind == "pipe":
            return f"pipe {names[0]}" if names else "pipe"
        if names and is_terminal(kind, names[0]):
            return f"terminal {names[0]}"
        if names:
            return names[0] + self.further_names(node)
        if text:
            return f"{kind} {text}"
        inode = graph.inodes.get(obj)
        word = _PLAIN_NAMES.get(kind) or clean(kind)
        if kind == "unknown":
            return f"unknown {clean(graph.identifiers[node])}"
        return f"{word} without a name (inode {inode})" if inode else word
