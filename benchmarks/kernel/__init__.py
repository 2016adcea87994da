"""The kernel's share: instructions per operation and per program, counted in a guest."""
