"""What of a disclosure is taken, and that no order of requests makes a cycle."""

import random
from collections.abc import Mapping
from typing import Any

import pytest

from provcap.capture import disclosed
from provcap.capture.disclosed import DisclosedEdge, DisclosedNode, is_disclosed
from provcap.capture.expand import Expand
from provcap.errors import RecordingError
from provcap.records import Edge, Identifier, Node, Origin, Writer
from provcap.services.ledger import INVALID, LIMIT, RATE, Acting, Ledger, Limits, Refused
from provcap.vocabulary import KINDS, RELATIONS
from tests.vm.guest_recordings import Graph

ORIGIN = Origin(28, 509509127, 0, {})
ALICE, BOB, ROOT = Writer(100, 1000, 1000), Writer(200, 1001, 1001), Writer(300, 0, 0)
TASK = Acting(77, 4, True)


class Desk:
    """A ledger, whose clock stands still, and the records that it has made."""

    def __init__(self, limits: Limits = Limits()) -> None:  # noqa: B008
        self.now_s = 0.0
        self.ledger = Ledger(ORIGIN, 5, limits, lambda: self.now_s)
        self.records: list[disclosed.Disclosed] = []

    def ask(self, do: str, by: Writer = ALICE, task: Acting | None = TASK, **more: Any) -> str:
        """The id of what was made, empty of a relation."""
        self.ledger.admit(by.uid)
        moment = (1000 + len(self.records), 1)
        taken = self.ledger.take({"do": do, **more}, by, lambda: task, lambda: moment)
        self.records += taken.records
        return f"cf:{taken.id.text}" if taken.id else ""

    def edges(self) -> list[tuple[str, int, int, int, int]]:
        """(relation, source, its version, target, its version); small numbers for disclosed ids."""
        edges = [record for record in self.records if isinstance(record, DisclosedEdge)]
        short = {77: 77} | {e: e & 0xFF for r in edges for e in (r.source, r.target) if e != 77}
        return [
            (
                RELATIONS[e.relation].name,
                *(short[e.source], e.source_version),
                *(short[e.target], e.target_version),
            )
            for e in edges
        ]


def refused(desk: Desk, cause: str, words: str, **request: Any) -> None:
    """The request is refused for that cause, with these words, and leaves no record."""
    before = len(desk.records)
    with pytest.raises(Refused, match=words) as found:
        desk.ask(**request)
    assert found.value.cause == cause
    assert len(desk.records) == before


def test_an_entity_is_told_with_its_writer_and_its_task() -> None:
    """Its id is of the reserved space, so no CPU of the kernel gives it to something else."""
    desk = Desk()
    id = desk.ask("entity", name="May", attributes={"rows": 3, "cf:done": True})

    (node,) = desk.records
    assert isinstance(node, DisclosedNode)
    assert KINDS[node.kind].name == "disc_entity"
    assert (node.writer, node.task, node.task_version) == (ALICE, 77, 4)
    assert node.attributes == {"label": "May", "disclosed": {"rows": 3, "done": True}}
    assert is_disclosed(node.id)
    assert Identifier.parse(id.removeprefix("cf:")).id == node.id


def test_an_activity_is_informed_by_the_task_that_discloses_it() -> None:
    """From the newest version of the task that has been a source: none, and there is no edge."""
    desk = Desk()
    for task in (TASK, Acting(77, 4, False), Acting(77, 0, False), None):
        desk.ask("activity", task=task, name="run")

    assert desk.edges() == [("informed_disc", 77, 4, 5, 0), ("informed_disc", 77, 3, 6, 0)]


def test_a_log_line_leads_into_a_version_that_has_not_been_a_source() -> None:
    """This version, or the next one, which the kernel will make."""
    desk = Desk()
    for task in (TASK, Acting(77, 4, False)):
        desk.ask("log", task=task, text="epoch 1 done")

    assert desk.edges() == [("log", 5, 0, 77, 5), ("log", 6, 0, 77, 4)]


def test_a_destination_that_was_a_source_gets_a_new_version() -> None:
    """The kernel's rule: b came of a, a comes of b again, and it is another a."""
    desk = Desk()
    a, b = (desk.ask("entity", name=name) for name in "ab")
    desk.ask("derived", entity=b, source=a)
    desk.ask("derived", entity=a, source=b)
    desk.ask("derived", entity=b, source=a)

    assert desk.edges() == [
        ("derived_disc", 5, 0, 6, 0),
        ("derived_disc", 6, 0, 5, 1),
        ("derived_disc", 5, 1, 6, 1),
    ]


@pytest.mark.parametrize("seed", range(20))
def test_no_order_of_requests_makes_a_cycle(seed: int) -> None:
    """Applications and a kernel that goes on meanwhile: the graph of all of it is acyclic."""
    dice, desk = random.Random(seed), Desk()
    ids = [desk.ask(do, name="x") for do in ("entity", "activity") * 4]
    word, edges = (
        [TASK.version, TASK.out],
        0,
    )  # the kernel's task: version, whether it has been a source
    for _ in range(300):
        if dice.random() < 0.3:  # the kernel: the task receives, or sends
            word = [word[0], True] if dice.random() < 0.5 else [word[0] + word[1], False]
        ends = dice.choice(ids + ["self"]), dice.choice(ids + ["self"])
        try:
            acting = Acting(77, word[0], bool(word[1]))
            desk.ask("influenced", task=acting, influencee=ends[0], influencer=ends[1])
            edges += 1
        except Refused:
            continue

    graph = graph_of(desk)
    assert edges > 100
    assert not graph.dangling
    assert graph.in_cycles() == 0


def graph_of(desk: Desk) -> Graph:
    """What the records stand for once they have been written and read again."""
    desk.records = disclosed.parse(disclosed.pack(desk.records))
    graph = Graph()
    graph.take(Expand(ORIGIN)(desk.records))
    return graph


def test_records_come_back_from_a_recording_as_nodes_and_edges() -> None:
    """Writer, parent and label are on the node; the edge says who wrote it; versions are linked."""
    desk = Desk()
    run, data = desk.ask("activity", name="run"), desk.ask("entity", name="May")
    desk.ask("used", activity=run, entity=data)
    desk.ask("generated", activity=run, entity=data)
    records = Expand(ORIGIN)(disclosed.parse(disclosed.pack(desk.records)))
    nodes = [r for r in records if isinstance(r, Node) and r.kind == "disc_entity"]
    edges = {r.relation: r for r in records if isinstance(r, Edge)}

    assert [node.identifier.version for node in nodes] == [0, 1]
    assert nodes[0].attributes["label"] == "May"
    assert nodes[0].attributes["writer"] == ALICE
    assert nodes[0].attributes["parent"].id == 77
    assert edges["used_disc"].writer == ALICE
    assert edges["used_disc"].task_id == 77
    assert edges["version_entity"].writer is None
    assert set(edges) == {
        *("used_disc", "generated_disc", "informed_disc"),
        *("version_entity", "version_activity"),
    }


def test_the_process_itself_can_be_an_end() -> None:
    """It used a disclosed entity, and generates another."""
    desk = Desk()
    a, b = (desk.ask("entity", name=name) for name in "ab")
    desk.ask("used", activity="self", entity=a)
    desk.ask("generated", entity=b, activity="self")

    assert desk.edges() == [("used_disc", 5, 0, 77, 5), ("generated_disc", 77, 4, 6, 0)]


def test_a_relation_with_an_unknown_process_is_refused() -> None:
    """Without a node of the kernel there is nothing that the edge could lead to."""
    desk = Desk()
    a = desk.ask("entity", name="a")

    refused(
        desk, INVALID, "nothing of this process", do="used", activity="self", entity=a, task=None
    )
    request = {"do": "generated", "activity": "self", "entity": a, "task": Acting(77, 0, False)}
    refused(desk, INVALID, "recorded nothing of this process", **request)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"do": "read", "activity": "self", "entity": "self"}, '"do" is'),
        ({"do": "version_entity"}, '"do" is'),
        ({"do": []}, '"do" is'),
        ({"do": "entity"}, "lacks 'name'"),
        ({"do": "entity", "name": "a", "id": 7}, "has 'id'"),
        ({"do": "entity", "name": ""}, "name is"),
        ({"do": "entity", "name": "a\nb"}, "name is"),
        ({"do": "entity", "name": "\ud800"}, "name is"),
        ({"do": "entity", "name": "x" * 256}, "name is"),
        ({"do": "entity", "name": 5}, "name is"),
        ({"do": "entity", "name": "a", "attributes": []}, "attributes are"),
        ({"do": "entity", "name": "a", "attributes": {"k": None}}, "attributes are"),
        ({"do": "entity", "name": "a", "attributes": {"k": {"$": 1}}}, "attributes are"),
        ({"do": "entity", "name": "a", "attributes": {"k": float("nan")}}, "attributes are"),
        ({"do": "entity", "name": "a", "attributes": {"k": 1 << 64}}, "attributes are"),
        ({"do": "entity", "name": "a", "attributes": {"k": "x" * 4096}}, "more than 4096"),
        ({"do": "entity", "name": "a", "attributes": {"prov:type": "x"}}, "no name"),
        ({"do": "entity", "name": "a", "attributes": {"a": 1, "cf:a": 2}}, "stands there twice"),
        ({"do": "entity", "name": "a", "attributes": {"\ud800": 1}}, "no name"),
        ({"do": "log", "text": ""}, "a log line"),
        ({"do": "log", "text": "x" * 4096}, "a log line"),
        ({"do": "log", "text": ["x"]}, "a log line"),
        ({"do": "derived", "entity": "self", "source": "self"}, "has to be an entity"),
        ({"do": "derived", "entity": "nonsense", "source": "self"}, "neither an id"),
        ({"do": "derived", "entity": {}, "source": "self"}, "neither an id"),
        ({"do": "informed", "informed": "self", "informant": "self"}, "nothing comes of itself"),
    ],
)
def test_what_makes_no_sense_is_refused(request_: Mapping[str, Any], words: str) -> None:
    """With words that say what is wrong; no record is made of it."""
    refused(Desk(), INVALID, words, **request_)


def test_the_longest_of_everything_is_taken() -> None:
    """The bounds themselves are inside."""
    desk = Desk()
    desk.ask("entity", name="x" * 255, attributes={"k": "x" * (4096 - len('{"k": ""}'))})
    desk.ask("log", text="x" * 4095)

    assert len(desk.records) == 3


def test_a_kernel_node_cannot_be_an_end() -> None:
    """Nor any id that was not given out in this recording, by number, kind, boot or machine."""
    desk = Desk()
    own = Identifier.parse(desk.ask("entity", name="a").removeprefix("cf:"))
    file = Identifier(next(k.type for k in KINDS if k.name == "file"), 7, 28, 509509127, 0)
    others = [
        file,
        own._replace(boot_id=29),
        own._replace(machine_id=1),
        own._replace(id=own.id + 1),
    ]
    others += [own._replace(type=file.type)]

    for other in others:
        end = f"cf:{other.text}"
        refused(desk, INVALID, "nothing that was disclosed", do="used", activity="self", entity=end)
    desk.ask("used", activity="self", entity=f"cf:{own._replace(version=9).text}")


def test_classes_have_to_fit_the_relation() -> None:
    """An agent is no entity, and an entity no activity."""
    desk = Desk()
    entity, agent = desk.ask("entity", name="e"), desk.ask("agent", name="a")

    refused(desk, INVALID, "activity has to be", do="used", activity=entity, entity=entity)
    refused(desk, INVALID, "entity has to be", do="used", activity="self", entity=agent)
    desk.ask("associated", activity="self", agent=agent)


def test_nothing_is_added_to_what_another_user_disclosed() -> None:
    """It can be referred to, though, and root may add to everything."""
    desk = Desk()
    of_alice, of_bob = desk.ask("entity", name="a"), desk.ask("entity", by=BOB, name="b")

    ends = {"entity": of_alice, "source": of_bob}
    refused(desk, INVALID, "another user", do="derived", by=BOB, **ends)
    desk.ask("derived", by=ROOT, **ends)
    desk.ask("derived", by=BOB, entity=of_bob, source=of_alice)


def test_a_user_who_is_too_fast_is_refused_and_may_go_on_later() -> None:
    """The store fills up with time; other users have their own."""
    desk = Desk(Limits(rate_per_s=10, burst=3))
    for _ in range(3):
        desk.ask("entity", name="a")

    refused(desk, RATE, "slow down", do="entity", name="a")
    desk.ask("entity", by=BOB, name="b")
    desk.now_s += 0.11
    desk.ask("entity", name="a")
    refused(desk, RATE, "slow down", do="entity", name="a")


def test_nobody_fills_a_recording() -> None:
    """Limits of one user, of all together, and of the number of users."""
    desk = Desk(Limits(records_per_user=2, records=3, users=2))
    desk.ask("entity", name="a")
    desk.ask("entity", name="a")
    refused(desk, LIMIT, "user 1000", do="entity", name="a")
    desk.ask("entity", by=BOB, name="b")
    refused(desk, LIMIT, "in one recording", do="entity", by=BOB, name="b")
    refused(desk, LIMIT, "too many users", do="entity", by=ROOT, name="r")


OURS = "18446462598732840967"  # an id of the reserved space
FACTS = '{"label": "x", "disclosed": {}}'


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        "{}",
        "[[[[",
        f"[1, 0, 65535, 26, 7, 1, [1, 2, 3], 0, 0, {FACTS}]",
        f"[1, 0, 0, 26, {OURS}, 1, [1, 2, 3], 0, 0, {FACTS}]",
        f"[1, 0, 65535, 8, {OURS}, 1, [1, 2, 3], 0, 0, {FACTS}]",
        f"[1, 0, 65535, 26, {OURS}, 1, [1, 2], 0, 0, {FACTS}]",
        f'[1, 0, 65535, 26, {OURS}, 1, [1, 2, 3], 0, 0, {{"label": 5, "disclosed": {{}}}}]',
        f'[1, 0, 65535, 26, {OURS}, 1, [1, 2, 3], 0, 0, {{"log": "\\ud800"}}]',
        f"[1, 0, 65535, 0, {OURS}, 7, 0, 0, 26, 1, 1, [1, 2, 3], 0]",
        "[1, 0, 65535, 20, 7, 7, 0, 0, 26, 1, 1, [1, 2, 3], 0]",
        f"[1, 0, 65535, 20, {OURS}, 7, 0, 4294967296, 26, 1, 1, [1, 2, 3], 0]",
    ],
)
def test_a_damaged_block_is_a_named_error(line: str) -> None:
    """Ids of the kernel on disclosed nodes, kinds and relations of the kernel, wrong shapes."""
    with pytest.raises(RecordingError, match="damaged"):
        disclosed.parse(line.encode())
