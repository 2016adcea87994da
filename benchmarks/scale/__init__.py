"""Measures whether the cost of capture grows with CPUs, with live nodes or with time."""
