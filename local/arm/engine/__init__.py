"""The ARM template language: pure evaluation, no I/O, usable alone."""
