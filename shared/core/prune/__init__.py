"""Prune: deleting what left a template, and stacks that the manifest lists as removed (rule 15).

Everything here is pure: what left and in which release, what of it nobody else has, in which order
it may go, and whether somebody has to approve first. ``shared/flows/prune.py`` carries it out.
"""
