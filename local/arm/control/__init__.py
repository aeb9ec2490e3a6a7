"""The side channel: what a test may ask of the simulator that Azure would not answer."""
