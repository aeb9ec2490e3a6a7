"""The story of Plumbline, played live on a laptop: every step is pushed, watched and checked."""
