"""Apps that the host's tests serve."""
