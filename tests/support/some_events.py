"""An event of each type."""

from pathlib import Path

from headstart.events import Advanced, EpochEnded, Event, HeadSolved, Message, PictureReady, Step, StepStarted, Task

EPOCH = EpochEnded("fine_tuning", 3, 20, 4.2, 1e-5, 0.31, 0.9, 0.25, 0.95)
HEAD = HeadSolved(0.01, 0.85, 0.5, 7.5, 0.1, 0.97, 0.2, 0.93)
EVENTS: tuple[Event, ...] = (
    StepStarted(Step.TRAIN_HEAD, "Train the head"),
    Advanced(Task.READ, "Reading images", 40, 1_200, 58.0, "loss 0.31"),
    EPOCH,
    HEAD,
    PictureReady("samples", Path("runs", "pets", "samples.png")),
    Message("Found 3,000 files belonging to 2 classes."),
)
