"""One file a command: each is a Python function with the command's name, which the command line calls as well.

The functions are imported here, from modules that import nothing heavy, so that `commands.train` is the function and
never the module of that name.
"""

from headstart.commands.backbones import backbones
from headstart.commands.cache import cache
from headstart.commands.compare import compare
from headstart.commands.demo import demo
from headstart.commands.diff import diff
from headstart.commands.doctor import doctor
from headstart.commands.evaluate import evaluate
from headstart.commands.export import export
from headstart.commands.inspect import inspect
from headstart.commands.labels import labels
from headstart.commands.predict import predict
from headstart.commands.predict_parts import predict_parts as predict_parts
from headstart.commands.serve import serve
from headstart.commands.studio import studio
from headstart.commands.train import train

__all__ = [
    "backbones", "cache", "compare", "demo", "diff", "doctor", "evaluate", "export", "inspect", "labels", "predict",
    "serve", "studio", "train",
]  # fmt: skip
