"""Tests of the ARM template engine: vectors, tables and properties; no network, no clock."""
