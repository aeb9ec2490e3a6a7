"""From files at a revision to what ARM would receive: manifest, templates, parameters, digests."""
