"""Values of secret variables are gone before anything of a ring is written anywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provcap.capture.decoder import DISCARD, Decoder
from provcap.capture.expand import Expand
from provcap.capture.redact import MASK, SECRETS, Redactor
from provcap.records import Node, Origin
from tests.batches import LAYOUT, TEXT_BITS, batch, event, framed, text

MEMORY = ("process_memory", 9, 0)
VALUE = b"hunter2"


def environment(*variables: bytes, cuts: tuple[int, ...] = ()) -> list[bytes]:
    """The text records of an environment, in pieces that end at the cuts."""
    whole = b"".join(variable + b"\0" for variable in variables)
    places = [0, *sorted(cut % len(whole) for cut in cuts if cut % len(whole)), len(whole)]
    return [
        text(
            "envp",
            whole[start:end],
            MEMORY,
            id=50,
            offset=start,
            total=end,
            count=len(variables),
            bits=TEXT_BITS["TEXT_LAST"] if end == len(whole) else 0,
        )
        for start, end in zip(places, places[1:], strict=False)
        if end > start
    ]


def variables_in(data: bytes) -> list[bytes]:
    """Each variable that a reader of these ring bytes sees."""
    expand = Expand(Origin(28, 509509127, 0, {}))
    records = expand(Decoder(LAYOUT).decode(data)) + expand.finish()
    return [r.attributes["value"] for r in records if isinstance(r, Node) and r.kind == "envp"]


@pytest.mark.parametrize(
    "name", [b"DB_PASSWORD", b"api_token", b"AWS_REGION", b"SSH_AUTH_SOCK", b"X_SECRET_Y"]
)
def test_what_looks_like_a_secret_has_no_value(name: bytes) -> None:
    """By its name, in upper or lower case."""
    data = Redactor(LAYOUT, SECRETS)(batch(*environment(b"A=1", name + b"=" + VALUE, b"B=2")))

    assert VALUE not in data
    assert variables_in(data) == [b"A=1", name + b"=" + MASK, b"B=2"]


def test_a_pattern_of_the_user_counts_too() -> None:
    """And nothing else is touched: not what only begins so, nor a value that looks like a name."""
    given = [b"MY_ID=" + VALUE, b"MY=1", b"HOME=MY_ID=2", b"PATH=/bin", b"no equals sign"]
    data = Redactor(LAYOUT, ["my_*"])(batch(*environment(*given)))

    assert variables_in(data) == [b"MY_ID=" + MASK, *given[1:]]


def test_other_records_pass_as_they_are() -> None:
    """Arguments, too, whatever they are called, and records that are not to be read."""
    argument = text("argv", b"TOKEN=" + VALUE + b"\0", MEMORY, id=4)
    discarded = framed(environment(b"TOKEN=" + VALUE)[0], DISCARD)
    other = batch(argument, event("read", ("file", 7, 0), ("task", 8, 0))) + discarded

    assert Redactor(LAYOUT, SECRETS)(other) == other


@given(st.lists(st.integers(0, 200), max_size=8), st.booleans())
def test_a_value_is_gone_however_the_text_is_cut(cuts: list[int], at_once: bool) -> None:
    """Names and values may go on in the next piece, and pieces may come one drain at a time."""
    given = [b"FIRST=1", b"LONG_TOKEN=" + VALUE * 9, b"EMPTY_KEY=", b"LAST=" + b"x" * 30]
    pieces = environment(*given, cuts=tuple(cuts))
    redact = Redactor(LAYOUT, SECRETS)
    drains = [batch(*pieces)] if at_once else [batch(piece) for piece in pieces]
    data = b"".join(redact(drain) for drain in drains)
    first, token, empty, last = variables_in(data)

    assert VALUE[:4] not in data
    assert (first, last) == (given[0], given[3])
    assert token.startswith(b"LONG_TOKEN=" + MASK)
    assert empty == b"EMPTY_KEY=" + MASK


def test_behind_a_lost_piece_nothing_is_told_before_the_next_string() -> None:
    """It may be the rest of a secret."""
    whole = environment(b"A_TOKEN=" + VALUE * 3, b"B=1", cuts=(4, 16))
    data = Redactor(LAYOUT, SECRETS)(batch(whole[0], whole[2]))

    assert VALUE[:2] not in data
    assert b"B=1" in data
