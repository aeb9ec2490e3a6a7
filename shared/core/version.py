"""The version of Plumbline, as CHANGELOG.md counts it."""

VERSION = "0.1.0"
