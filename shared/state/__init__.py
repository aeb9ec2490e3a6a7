"""The documents of architecture.md part 4 by their types: read, and changed by compare-and-swap."""
