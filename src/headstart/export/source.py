"""Source: the network of a run in the forms that there are, of which a format takes the one that costs it least."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.classifier.metadata import ENGINE, read_card
from headstart.engines.saved import Bias, Kernel, saved_network
from headstart.export import OUTPUTS
from headstart.models.packaged import network_file
from headstart.models.weights import PRETRAINED
from headstart.numerics import num_logits
from headstart.runs.folder import RunFolder
from headstart.storage.hashing import sha256_of_file

if TYPE_CHECKING:
    import keras

    from headstart.classifier.classifier import Classifier


@dataclass(frozen=True, eq=False)
class Source:
    """A classifier's network. What is written of it takes pixels and gives logits, calibrated probabilities and, where
    the classifier learned from `_other` photos, the probability of none of the classes.

    pixels: type of the input, "uint8" or "float32".
    fixed_size: whether it takes squares only, instead of photos of any height and width, which it then resizes.
    held_out_accuracy: on photos that it was not trained on, as in metrics.json; None where the run does not say.
    engine: file of the same network, compiled by OpenVINO; it gives logits first. None where there is none.
    frozen: file of the package with all of it but the head, as ONNX, see `models/packaged.py`. None where there is
        none, or where the base was trained further.
    has_maps: whether what is written as ONNX also gives the features of the last layer and all feature maps, under the
        names that `output_name` has for them.
    """

    classifier: Classifier
    pixels: str
    fixed_size: bool
    engine: Path | None = None
    frozen: Path | None = None
    has_maps: bool = False
    held_out_accuracy: dict | None = None

    @property
    def frozen_graph(self) -> Any | None:
        """The network but for its head as an `onnx.ModelProto`, where that needs no Keras: of `frozen`, or of the file
        that the base is the network of.

        Raises:
            ExportError: of such a file, no ONNX can be made.
        """
        of_file = self.classifier.network.of_file
        if of_file:
            from headstart.models.network_files.frozen_onnx import frozen_onnx

            return frozen_onnx(of_file.base, of_file.image_size, depths=of_file.depths)
        import onnx

        return onnx.load(str(self.frozen)) if self.frozen else None

    @classmethod
    def of(cls, run: Path, classifier: Classifier, pixels: str, *, fixed_size: bool) -> Source:
        file, digest = network_file(classifier.backbone, PRETRAINED), read_card(run).get("frozen_network")
        frozen = file if file and digest == sha256_of_file(file) else None
        metrics = RunFolder(run).metrics
        measured = metrics.get("test") or metrics.get("validation") or {}
        return cls(
            classifier,
            pixels,
            fixed_size,
            saved_network(run / ENGINE),
            frozen,
            held_out_accuracy=measured.get("accuracy"),
        )

    @cached_property
    def model(self) -> keras.Model:
        """As a Keras model, see `with_probabilities`."""
        from headstart.models.composing import with_probabilities

        return with_probabilities(
            self.classifier.model,
            temperature=self.temperature,
            dtype=self.pixels,
            maps=self.has_maps,
            others=(others.weights, others.temperature) if (others := self.classifier.other_head) else None,
            multi_label=self.is_multi_label,
        )

    @property
    def is_multi_label(self) -> bool:
        """Whether each label has a probability of its own: sigmoids instead of a softmax."""
        return self.classifier.is_multi_label

    @property
    def temperature(self) -> float:
        return self.classifier.calibration.temperature

    @property
    def head(self) -> tuple[Kernel, Bias]:
        return self.classifier.head

    @property
    def input_shape(self) -> list[int | None]:
        """Of what is written. A dimension of None stands for any number."""
        return self.square_shape if self.fixed_size else [None, None, None, 3]

    @property
    def square_shape(self) -> list[int | None]:
        """Of what the network itself takes."""
        return [None, self.classifier.image_size, self.classifier.image_size, 3]

    @property
    def output_shapes(self) -> dict[str, list[int | None]]:
        """Names as in OUTPUTS."""
        classes = len(self.classifier.class_names)
        count = num_logits(classes, multi_label=self.is_multi_label)
        shapes: list[list[int | None]] = [[None, count], [None, classes]]
        return dict(zip(OUTPUTS, [*shapes, [None]] if self.classifier.other_head else shapes, strict=False))
