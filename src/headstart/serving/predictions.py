"""What a network says of one image, and the options of the request -> the row of the answer. Knows no HTTP."""

from collections.abc import Callable

from headstart.classifier.base import remarked
from headstart.classifier.prediction import Prediction
from headstart.models.output import NetworkOutput
from headstart.serving.schemas import Options
from headstart.serving.served import ServedModel

# of an answer, only where there is something to say
OPTIONAL = ("remark", "rule", "cost", "other", "parent", "parent_probability")


def row_maker(model: ServedModel, options: Options) -> Callable[[NetworkOutput, str | None], dict]:
    """What turns the output for one image, and a remark on it, into its row, as JSON.

    Raises:
        ModelError: the accuracy or coverage of the options cannot be guaranteed.
    """
    predictor = model.predictor
    to_predictions = predictor.calibration.to_predictions(
        predictor.class_names, accuracy=options.accuracy, coverage=options.coverage
    )  # fmt: skip

    def make_row(output: NetworkOutput, remark: str | None) -> dict:
        (prediction,) = predictor.predictions(output, to_predictions)
        prediction = remarked(prediction, remark)
        row = _row(prediction, options)
        if options.explain:
            row["places"] = _places(model, prediction, output)
            if model.training_images:
                row["similar"] = model.training_images.similar(output.features)
        return row

    return make_row


def _row(prediction: Prediction, options: Options) -> dict:
    row = {
        "label": prediction.label,
        "probability": prediction.probability,
        "probabilities": prediction.top(options.top or len(prediction.probabilities)),
        "sure": prediction.sure,
        "familiar": prediction.familiar,
    }
    if prediction.labels is not None:
        row["labels"] = list(prediction.labels)
    row |= {name: value for name in OPTIONAL if (value := getattr(prediction, name)) is not None}
    return row | ({"candidates": list(prediction.candidates)} if options.coverage else {})


def _places(model: ServedModel, prediction: Prediction, output: NetworkOutput) -> dict:
    places = model.predictor.explanation(prediction, [each[0] for each in output.maps]).places
    height, width = places.shape
    values = [round(value, 3) for value in places.ravel().tolist()]
    return {"height": height, "width": width, "resizing": model.predictor.resizing, "values": values}
