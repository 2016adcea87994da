"""Measurements of what provcap costs; nothing here is installed."""
