"""The story that the tests tell: a page goes over TCP, is sorted and counted into a report."""

from tests.graph.builder import Log

SERVER, CLIENT = "127.0.0.1:8000", "127.0.0.1:41234"


def story() -> Log:
    """An http server sends page.html to wget; a shell runs ``sort | uniq -c > report.txt``."""
    log = Log()
    serve(log)
    download(log)
    send(log)
    sort(log)
    log.account()
    return log


def file(log: Log, path: str) -> str:
    log.node(path, "file", ino=log.made + 1)
    log.named(path, path)
    return path


def serve(log: Log) -> None:
    log.process(101, "/usr/bin/python3.11", "python3", "-m", "http.server", "8000")
    for library in ("/usr/lib/libc.so.6", "/usr/lib/libz.so.1", "/usr/lib/locale/locale-archive"):
        log.reads("101", file(log, library), "mmap_private")
    log.node("listener", "socket", ino=900)
    log.writes("101", "listener", "socket_create")
    log.node("here", "address", addr_host="127.0.0.1", addr_port=8000)
    log.edge("addressed", "here", "listener")
    log.writes("101", "listener", "bind")


def download(log: Log) -> None:
    log.process(200, "/usr/bin/bash", "bash", "report.sh")
    log.reads("200", file(log, "/srv/data/report.sh"))
    log.forks("200", 201, "/usr/bin/bash")
    log.execs("201", "/usr/bin/wget", "wget", "-q", "http://127.0.0.1:8000/page.html")
    log.reads("201", "/usr/lib/libc.so.6", "mmap_private")
    log.node("client", "socket", ino=901)
    log.writes("201", "client", "connect")
    for name, ends in (("up", (CLIENT, SERVER)), ("down", (SERVER, CLIENT))):
        log.node(name, "stream", sender=ends[0], receiver=ends[1])
    log.node("served", "socket", ino=902)
    log.edge("accept_socket", "listener", "served")
    log.reads("101", "served", "accept")
    log.writes("201", "client", "send_msg")  # the request
    log.edge("send_stream", "client", "up")
    log.edge("receive_stream", "up", "served")
    log.reads("101", "served", "receive_msg")


def send(log: Log) -> None:
    log.reads("101", file(log, "/srv/www/page.html"))
    log.edge("getattr", file(log, "/srv/www/only-looked-at"), "t101")
    log.writes("101", "served", "send_msg")
    log.edge("send_stream", "served", "down")
    log.reads("101", file(log, "/srv/www/read-after-sending"))
    log.edge("receive_stream", "down", "client")
    log.reads("201", "client", "receive_msg")
    log.writes("201", file(log, "/srv/data/page.html"))


def sort(log: Log) -> None:
    log.node("pipe", "pipe", ino=950)
    log.forks("200", 202, "/usr/bin/bash")
    log.execs("202", "/usr/bin/sort", "sort", "page.html")
    log.reads("202", "/usr/lib/libc.so.6", "mmap_private")
    log.forks("200", 203, "/usr/bin/bash")
    log.execs("203", "/usr/bin/uniq", "uniq", "-c")
    log.reads("203", "/usr/lib/libc.so.6", "mmap_private")
    log.reads("202", "/srv/data/page.html")
    log.writes("202", "pipe")
    log.reads("203", "pipe")
    log.writes("203", file(log, "/srv/data/report.txt"))
