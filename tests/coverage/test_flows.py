"""The expectations: readable, in the words of the vocabulary, and for operations that there are."""

import re

import pytest

from provcap.coverage.flows import APART, Flow, chosen, edges, read, relation_of, version
from provcap.coverage.player import SOURCES
from provcap.errors import UsageError
from provcap.vocabulary import KINDS, RELATION

FLOWS = read()
NAMES = [flow.name for flow in FLOWS]
SHORT = {"process_memory": "memory"}
KIND_NAMES = {SHORT.get(kind.name, kind.name) for kind in KINDS}

# The base set of ProvMark: the system calls that every recorder of provenance is asked about
PROVMARK = re.findall(
    r"\w+",
    """
    close creat dup dup2 dup3 link linkat symlink symlinkat mknod mknodat open openat read pread64
    rename renameat truncate ftruncate unlink unlinkat write pwrite64 clone execve exit fork kill
    vfork chmod fchmod fchmodat chown fchown fchownat setgid setregid setresgid setuid setreuid
    setresuid pipe pipe2 tee
""",
)


def flow(text: str) -> Flow:
    """The one flow of some TOML."""
    (found,) = read(f'[[files]]\nname = "f"\ndoes = "it"\ncalls = "read"\n{text}')
    return found


def test_a_line_through_the_task_is_two_edges() -> None:
    """An input goes on into memory, an output comes from there."""
    assert edges("read file:a -> task -> memory\nwrite memory -> task -> file:b") == {
        "read file:a -> task",
        "memory_write task -> memory",
        "memory_read memory -> task",
        "write task -> file:b",
    }


def test_a_line_about_many_objects_is_many_lines() -> None:
    """One edge for each; an address has dots, too."""
    assert edges("setxattr_inode xattr:9..11 -> file:a\nlisten address:127.0.0.1:1 -> task") == {
        "setxattr_inode xattr:9 -> file:a",
        "setxattr_inode xattr:10 -> file:a",
        "setxattr_inode xattr:11 -> file:a",
        "listen address:127.0.0.1:1 -> task",
    }


def test_what_is_no_edge_is_refused() -> None:
    """A slip in the file must not become an expectation that nothing meets."""
    with pytest.raises(ValueError, match="'read file:a' is no edge"):
        edges("read file:a")


def test_an_older_kernel_has_its_own_promise() -> None:
    """Up to the release that is named, and with the reason."""
    found = flow(
        'expect = """\nread file:a -> task\n"""\n'
        '[files.before."6.9"]\nreason = "no hook"\nexpect = ""'
    )

    assert found.promised("6.1.0-56-cloud-amd64") == (frozenset(), "no hook")
    assert found.promised("6.9.1") == (frozenset({"read file:a -> task"}), "")
    assert version("7.3.4+deb13-cloud-amd64") > version("6.12.117+deb12-cloud-amd64")


def test_relations_that_follow_from_others_count_where_they_are_named() -> None:
    """Every operation makes versions, and every process ends."""
    silent = flow('expect = """\nread file:a -> task\n"""')
    naming = flow('expect = """\nfree pipe:pipe -> pipe:pipe\n"""')

    assert not silent.compares("free pipe:pipe -> pipe:pipe")
    assert naming.compares("free pipe:other -> pipe:other")
    assert not naming.compares("version_entity/control file:a -> file:a")


def test_an_unknown_workload_is_refused_with_a_near_one() -> None:
    """As the command line answers to everything that it does not know."""
    with pytest.raises(UsageError, match='no workload "raed" .did you mean "read"?'):
        chosen(FLOWS, ["raed"])
    assert [f.name for f in chosen(FLOWS, ["write", "read"])] == ["read", "write"]


def test_every_name_is_given_once() -> None:
    """By it a workload is asked for."""
    assert sorted(set(NAMES)) == sorted(NAMES)


def test_there_are_enough_of_them() -> None:
    """Flows, and things that must not look like one."""
    assert len(FLOWS) >= 250
    assert sum(bool(flow.twin) for flow in FLOWS) >= 90


def test_the_base_set_of_system_calls_is_played() -> None:
    """Each call of it is in some workload, recorded or not yet."""
    played = {call for flow in FLOWS for call in flow.calls}

    assert sorted(set(PROVMARK) - played) == []


@pytest.mark.parametrize("call", sorted({*PROVMARK} - {"exit"}))
def test_each_call_of_the_base_set_is_made_in_vain_too(call: str) -> None:
    """A recorder is asked what it says of a call that did nothing; exit alone cannot fail."""
    twins = [flow for flow in FLOWS if flow.twin]

    assert any(call in flow.calls for flow in twins)


def test_the_program_does_what_is_listed() -> None:
    """Every workload is an operation of the C sources."""
    text = "".join(path.read_text() for path in SOURCES.glob("*.c"))
    operations = re.findall(r'^\t\{ "(\w+)", \w+ \},$', text, re.M)

    assert len(operations) == len(set(operations))
    assert sorted(set(NAMES) - set(operations)) == []


@pytest.mark.parametrize("flow", [pytest.param(flow, id=flow.name) for flow in FLOWS])
def test_an_expectation_makes_sense(flow: Flow) -> None:
    """Known words, a twin that is there, nothing both expected and forbidden."""
    expected = flow.expect.union(*(older.expect for older in flow.older))
    ends = {
        end.partition(":")[0] for edge in expected for end in edge.split(" ", 1)[1].split(" -> ")
    }
    unknown = {relation_of(edge) for edge in expected} - RELATION.keys()

    assert ends <= KIND_NAMES
    assert not unknown or flow.not_yet
    assert not flow.twin or flow.twin in NAMES
    assert not flow.twin or flow.twin != flow.name
    assert all(flow.compares(edge) and not flow.forbids(edge) for edge in expected)
    assert flow.does
    assert flow.calls


def test_what_is_compared_apart_is_named_somewhere() -> None:
    """Otherwise it would never be compared."""
    named = {relation_of(edge) for flow in FLOWS for edge in flow.expect}

    assert set(APART) <= named
