"""Pure decisions and the words they are made of: no Azure, no clock, no I/O."""
