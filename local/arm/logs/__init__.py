"""The logs query API: a small, real Kusto over what the simulator knows.

`lexer`, `parser`, `binding`, `relations` and what they stand on are pure: text and rows in, rows
out. `tables` are the sources, and `service` is what a request goes through.
"""
