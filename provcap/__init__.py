"""Whole-system provenance capture on unmodified Linux kernels."""

__version__ = "0.1.0"
