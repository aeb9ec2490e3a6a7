"""One use case per file, named like its function: the imperative shell around the core."""
