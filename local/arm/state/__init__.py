"""What the simulator knows: records in tables, every change written to a journal before it counts."""
