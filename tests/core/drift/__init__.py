"""Tests of what is drift, and of what is noise."""
