"""The only room that imports Azure SDKs, dulwich and HTTP clients."""
