"""One file a command. The command line and Python call the same functions."""
