"""The ARM simulator: an HTTPS server that the real Azure SDK talks to unchanged."""
