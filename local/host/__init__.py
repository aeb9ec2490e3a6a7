"""Serves function_app.py through Microsoft's own runtime library when the Core Tools are absent."""
