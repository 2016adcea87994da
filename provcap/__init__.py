"""Whole-system provenance capture on unmodified Linux kernels."""
