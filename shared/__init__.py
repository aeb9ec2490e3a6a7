"""The product: decisions, ports, flows, adapters and their wiring."""
