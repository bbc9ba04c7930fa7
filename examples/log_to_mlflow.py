"""A run's losses, accuracies and pictures in MLflow: a listener of headstart's events.

pip install headstart mlflow
python log_to_mlflow.py photos runs/photos
"""

import sys

import mlflow

import headstart as hs


class MLflowLog(hs.Quiet):
    def emit(self, event: hs.Event) -> None:
        if isinstance(event, (hs.HeadSolved, hs.EpochEnded)):  # a head that is solved is the first epoch
            names = ("loss", "accuracy", "val_loss", "val_accuracy")
            mlflow.log_metrics({name: getattr(event, name) for name in names}, step=getattr(event, "epoch", 1))
        elif isinstance(event, hs.PictureReady):
            mlflow.log_artifact(str(event.path))


if __name__ == "__main__":
    with mlflow.start_run():
        run = hs.make_run(sys.argv[1], sys.argv[2], listener=hs.Several(hs.Console(), MLflowLog()))
        mlflow.log_metric("test_accuracy", run.metrics["test"]["accuracy"]["value"])
        mlflow.log_artifacts(str(run.folder), "run")
