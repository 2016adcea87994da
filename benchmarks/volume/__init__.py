"""Measures how much is recorded of a compile, of fetching a page, and of nothing at all."""
