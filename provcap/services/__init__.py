"""Long-running loops: signals, state, health."""
