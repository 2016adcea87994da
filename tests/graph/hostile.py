"""Names as an attacker would choose them."""

from hypothesis import strategies as st

from tests.graph.builder import Log
from tests.graph.story import file

SCRIPT = "</script><script>window.attacked = 1</script>"
NAMES = (
    SCRIPT,
    '"><img src=x onerror="window.attacked = 1">',
    'a" ; n0 -> n1 [label="x"]; "',
    "<b>bold</b>",
    "back\\slash\\n\\N\\",
    "line\nbreak\r\ttab\x00\x07\x1b[31m",
    "\u202eexe.fdp \u2066\u200f",
    "\u2028\u2029]]>--><!-- {{data}}",
    "&amp; &#60; &lt;b&gt;",
    "\udcff\udc80 not UTF-8 \uf7ff",
    "\u0627\u0644\u0639 \u05d0\u05d1 \u6f22\u5b57 \U0001f600",
    "x" * 4096,
    "\ud800 \ufffe \U0010ffff",
)
names = st.one_of(
    st.sampled_from(NAMES),
    st.text(max_size=60),
    st.text(alphabet="<>&\"'\\\n/;{}[]#\u202e\u2028\udc80", max_size=30),
)


def log_of(name: str) -> Log:
    """A process, its arguments, a file and a pipe, all called so."""
    log = Log()
    log.process(5, f"/opt/{name}", name, name)
    log.reads("5", file(log, f"/in/{name}"))
    log.node("pipe", "pipe", name=name)
    log.writes("5", "pipe")
    log.writes("5", file(log, f"/out/{name}"))
    return log
