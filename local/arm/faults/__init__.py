"""What goes wrong on purpose: errors in ARM's words, operations that stick, reads that lag."""
