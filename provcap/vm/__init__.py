"""Boot an unmodified kernel in QEMU, run a command there, bring back the result."""
