"""Measures what capture takes of the kernel's memory: fixed, and for each object that lives."""
