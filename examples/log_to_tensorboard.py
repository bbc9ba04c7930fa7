"""A training's losses and accuracies for TensorBoard: a listener of headstart's events. Needs no TensorFlow.

pip install headstart tensorboard
python log_to_tensorboard.py photos logs
tensorboard --logdir logs
"""

import sys

from tensorboard.summary import Writer

import headstart as hs


class TensorBoardLog(hs.Quiet):
    def __init__(self, folder: str) -> None:
        self.writer = Writer(folder)

    def emit(self, event: hs.Event) -> None:
        if isinstance(event, (hs.HeadSolved, hs.EpochEnded)):  # a head that is solved is the first epoch
            for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
                self.writer.add_scalar(name, getattr(event, name), step=getattr(event, "epoch", 1))
            self.writer.flush()


if __name__ == "__main__":
    listener = hs.Several(hs.Console(), TensorBoardLog(sys.argv[2]))
    hs.train(hs.load_dataset(sys.argv[1]), listener=listener)
