"""The corners of .NET formatting that templates can reach."""
