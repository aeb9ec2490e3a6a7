"""The ARM simulator, asked by the real Azure SDK."""
