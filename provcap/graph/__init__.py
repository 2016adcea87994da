"""Graphs read back from recordings: checks, queries and views."""
