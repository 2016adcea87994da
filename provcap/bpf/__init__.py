"""The only room that speaks to libbpf: objects, maps, links, rings and BTF through ctypes."""
