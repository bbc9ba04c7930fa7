"""The run folder: the names of its files, its reader, its partial state. Knows nothing of how a run is made."""
