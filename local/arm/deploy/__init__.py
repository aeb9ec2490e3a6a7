"""Deployments: accepted, planned by the engine, carried out step by step, reported and kept."""
