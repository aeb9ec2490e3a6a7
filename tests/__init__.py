"""Tests by kind: core, flows, functions, contract, simulation, e2e."""
