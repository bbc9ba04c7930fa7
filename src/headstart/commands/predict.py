"""`headstart predict`: a run and photos -> what is on them. The formats are in `classifier/output_formats.py`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.errors import ImageError, ModelError

if TYPE_CHECKING:
    from headstart.classifier.output_formats import FilePrediction
    from headstart.events import Listener


class Predictions:
    """Answers for photos. They can be iterated over, or written, once: the photos are read meanwhile."""

    def __init__(
        self,
        files: list[str],
        left_out: list[str],
        answers: Iterator[FilePrediction],
        *,
        has_candidates: bool,
        is_explained: bool,
        has_costs: bool = False,
        has_others: bool = False,
        has_parents: bool = False,
        labels: tuple[str, ...] = (),
    ) -> None:
        """files: paths of the photos, in the order of their answers. left_out: sentences about files that are not read.
        has_candidates: whether a coverage was asked for. is_explained: whether there are explanations. has_costs:
        whether the classifier says what its answers cost; has_others: how probably a photo is none of its classes;
        has_parents: whether it answers a parent where a class is not sure. labels: of a classifier for several labels a
        photo, all of them."""
        self.files, self.left_out = files, left_out
        self.unreadable: list[ImageError] = []  # what is wrong with the photos, of those read so far
        self._answers, self._has_candidates, self._is_explained = answers, has_candidates, is_explained
        self._has = {"costs": has_costs, "others": has_others, "parents": has_parents}
        self._labels = labels

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[FilePrediction]:
        for answer in self._answers:
            if isinstance(answer.found, ImageError):
                self.unreadable.append(answer.found)
            yield answer

    def write(self, out: str | Path | None = None, *, format: str | None = None, top: int | None = None) -> None:
        """Write the answers, each as soon as it is there.

        Args:
            out: a new file; None: standard output.
            format: "text", "csv", "jsonl" or "json". None: as `out` ends, or text.
            top: how many classes are written. None: as many as the format has place for.

        Raises:
            ModelError: there is no such format.
            RunError: the file exists, or cannot be written.
        """
        from headstart.classifier.output_formats import FORMATS, Layout, new_file
        from headstart.standard_streams import output_in_utf8

        name = format_of(out, format)
        width = max(map(len, self.files))
        layout = Layout(top, self._has_candidates, self._is_explained, width, labels=self._labels, **self._has)
        if out is not None:
            with new_file(Path(out)) as stream:
                FORMATS[name](self, stream, layout)
        else:
            with nullcontext() if name == "text" else output_in_utf8():
                FORMATS[name](self, sys.stdout, layout)


def predict(
    run: str | Path,
    images: str | Path | Sequence[str | Path],
    *,
    accuracy: float | None = None,
    coverage: float | None = None,
    views: bool = False,
    explain: str | Path | None = None,
    device: str = "auto",
    listener: Listener | None = None,
) -> Predictions:
    """Say what is on photos: one, or any number of them.

    Args:
        run: folder of a run.
        images: files, folders of them, or patterns such as "photos/**/*.jpg"; or URLs of these.
        accuracy: answer "not sure" so often that this share of all other answers is correct. By default 0.95, where
            that can be guaranteed.
        coverage: name so many classes that the correct one is among them for this share of photos.
        views: average over the views that the classifier was trained on: a little more accurate, and slower.
        explain: a new folder, outside of the photos, for a picture of each that shows where its answer comes from.
        device: what runs the network: "gpu", or "auto": the processor; see `headstart.train`.
        listener: where to report to; by default nowhere.

    Raises:
        HeadstartError: there is no such run, there are no images, or the guarantee cannot be given. An image that
            cannot be read is no such error: its answer is an ImageError.
    """
    from headstart.classifier.output_formats import predict_files
    from headstart.classifier.predictor import Predictor
    from headstart.data.image_arguments import images_among
    from headstart.data.own_output import check_outside
    from headstart.events import Message, Task, track
    from headstart.listeners.console import Console
    from headstart.listeners.quiet import Quiet

    given = [images] if isinstance(images, str | Path) else images
    if explain is not None:
        for each in given:
            check_outside(Path(explain), each)
    files, left_out = images_among(given)
    predictor = Predictor(run, device=device, listener=listener)
    if views and len(predictor.views) == 1:
        text = "The classifier was trained on photos as they are, so there are no other views to average over."
        (listener or Console()).emit(Message(text))
    answers = predict_files(
        predictor,
        files,
        accuracy=accuracy,
        coverage=coverage,
        views=views,
        explain=None if explain is None else Path(explain),
    )
    return Predictions(
        files,
        left_out,
        track(listener or Quiet(), answers, Task.PREDICT, "Predicting", len(files)),
        has_candidates=coverage is not None,
        is_explained=explain is not None,
        has_costs=predictor.calibration.has_costs,
        has_others=predictor.other_head is not None,
        has_parents=predictor.calibration.hierarchy is not None,
        labels=predictor.class_names if predictor.is_multi_label else (),
    )


def format_of(out: str | Path | None, format: str | None) -> str:
    """The name of a row of FORMATS: the one that is given, or what the file's ending says, or text.

    Raises:
        ModelError: there is no such format.
    """
    from headstart.classifier.output_formats import FORMATS

    if format is not None and format not in FORMATS:
        raise ModelError(f"There is no format '{format}'. Choose one of: {', '.join(FORMATS)}.")
    ending = Path(out).suffix.removeprefix(".") if out is not None else ""
    return format or (ending if ending in FORMATS else "text")
