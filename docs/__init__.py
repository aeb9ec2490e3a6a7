"""Documentation, and the generator of the parts that come from the code."""
