"""The command line: parse, call, print. The work is in `commands/`, which Python calls as well.

Standard output: the results; with --json one JSON document and nothing else. Standard error: everything else.
Exit status: 0 done, 2 the user's mistake (one message), 1 anything else.
"""

from headstart.cli.commands import app
from headstart.cli.running import main

__all__ = ["app", "main"]
