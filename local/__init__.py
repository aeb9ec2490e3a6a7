"""Plumbline on a laptop: storage, ARM, Git and the Functions host without Azure."""
