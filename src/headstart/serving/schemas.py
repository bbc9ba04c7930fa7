"""The JSON of the service, as its OpenAPI document describes it. The names of these classes are part of that document.

A test checks that the service answers as described.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

SCHEMA = 1  # of the answers

EXAMPLE_ANSWER = {
    "schema": 1,
    "model": "photos",
    "digest": "5e0f1c0c0f9b3c1d3d1fd4aab8f0e3b5b1f1b3b2d6c0e6d4a0b9c8d7e6f5a4b3",
    "id": "3f0c6b0f2f0e4d6f9c8b7a6d5e4f3c2b",
    "predictions": [
        {
            "name": "1.jpg",
            "label": "cats",
            "probability": 0.9981,
            "probabilities": {"cats": 0.9981, "dogs": 0.0019},
            "sure": True,
            "familiar": True,
        }
    ],
}
EXAMPLE_MODEL = {
    "schema": 1,
    "model": "photos",
    "digest": EXAMPLE_ANSWER["digest"],
    "class_names": ["cats", "dogs"],
    "image_size": 224,
    "resizing": "stretch",
    "value_range": [0, 65535],
    "backbone": "mobilenet_v2",
    "recipe": "fast",
    "promises": {"accuracy": [0.8, 0.9, 0.95, 0.98], "coverage": [0.8, 0.9, 0.95, 0.98, 0.99, 0.995], "recall": {}},
    "knows_what_is_familiar": True,
    "knows_others": False,
    "parents": [],
    "multi_label": False,
    "metrics": {
        "validation": {
            "loss": 0.031, "accuracy": {"value": 0.989, "low": 0.979, "high": 0.994, "correct": 799, "count": 808},
        },
        "test": {
            "loss": 0.026, "accuracy": {"value": 0.99, "low": 0.963, "high": 0.997, "correct": 190, "count": 192},
        },
    },
    "models": ["photos"],
    "limits": {"file_bytes": 20_000_000, "request_bytes": 80_000_000, "files": 32, "pixels": 50_000_000},
    "shows_training_images": False,
    "keeps_samples": 0.0,
}  # fmt: skip
EXAMPLE_DETAILS = {  # for each problem in the document
    "bad-request": "The connection was closed before the body was complete.",
    "bad-multipart": "The form cannot be read: its Content-Type has no boundary, or an invalid one.",
    "no-image": "The form contains no file. Send at least one, for example with curl's -F file=@photo.jpg.",
    "unauthorized": "This service requires its API key. Send it as 'Authorization: Bearer KEY'.",
    "not-found": "There is nothing at this address.",
    "unknown-model": "There is no such model here. Choose one of: photos.",
    "too-slow": "The body arrived at less than 50,000 bytes a second. Send smaller images.",
    "too-many-bytes": "The file is larger than 20 MB. Send a smaller image.",
    "too-many-pixels": "The image has 12000 x 9000 pixels, more than 50,000,000; make it smaller.",
    "too-many-files": "The form contains more than 32 files. Use several requests.",
    "not-an-image": "The file is not an image that headstart can read (JPEG, PNG, WebP, BMP, GIF, TIFF, HEIC, AVIF).",
    "unsupported-media-type": "Send one file with 'Content-Type: image/jpeg', or several as multipart/form-data.",
    "unreadable-image": "The image is damaged or incomplete.",
    "impossible-promise": "The accuracy 0.9999 was given; at most 0.999 can be guaranteed. Give that, or less.",
    "invalid-parameter": "Invalid parameters: top: Input should be greater than or equal to 1.",
    "queue-full": "The service is at its limit. Try again in a second.",
    "took-too-long": "The answer took too long. Try again in a second.",
    "ending": "The service is shutting down and accepts no new requests.",
}

Probability = Annotated[float, Field(ge=0, le=1)]


def _guarantee(description: str):
    """A share that is guaranteed. In a query it may be left out, but it is never null."""
    schema = {"type": "number", "exclusiveMinimum": 0, "maximum": 0.999, "examples": [0.95]}
    return Annotated[float | None, Field(gt=0, lt=1, description=description), WithJsonSchema(schema)]


class Choice(BaseModel):
    """Which model answers. Unknown parameters are refused, as they may be misspelled."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field("", description="Name of the model; by default the first one.", examples=["photos"])


class Options(Choice):
    """The options of a prediction."""

    top: Annotated[
        int | None, Field(ge=1, description="Only this many of the probabilities, the highest ones."),
        WithJsonSchema({"type": "integer", "minimum": 1, "examples": [3]}),
    ] = None  # fmt: skip
    accuracy: _guarantee("Be 'not sure' often enough that this share of all other predictions is correct. "
                       "Cannot be combined with coverage.") = None  # type: ignore[valid-type]  # fmt: skip
    coverage: _guarantee("Name enough candidates that the correct class is among them for this share of photos. "
                       "Cannot be combined with accuracy.") = None  # type: ignore[valid-type]  # fmt: skip
    explain: bool = Field(False, description="Show which places in the photo each prediction is based on.")
    keep: bool = Field(True, description="Whether the photo may be kept, where the service keeps samples.")


class Problem(BaseModel):
    """An error, as in RFC 9457. code: the kind of error, for programs; id: of the request; errors: the parameters that
    are invalid."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    id: str | None = None
    errors: list[dict[str, str]] | None = None


class Places(BaseModel):
    """The places that a prediction is based on, in the square that the network sees. values: row by row, from the top
    left; how much each place supports the predicted class, compared with the mean of all classes. resizing: how the
    photo was made into that square."""

    height: int
    width: int
    resizing: str
    values: list[float]


class TrainingImage(BaseModel):
    """A training image that resembles the one that was sent. similarity: cosine of their features; image: a data
    URL."""

    label: str
    similarity: float
    image: str


class Answer(BaseModel):
    """The prediction for one image. sure: whether the image is familiar and the probability is high enough for the
    guaranteed accuracy (by default 0.95, if the validation photos were enough to guarantee it; otherwise any
    probability is); familiar: whether the image resembles what the model was trained on; remark: why
    the image may be too dark or too bright to the model, which is not sure then, as the end of a sentence; candidates:
    only where a coverage was asked for; rule: why the label is not the most probable class: "recall" (its recall is
    promised) or "cost" (its expected cost is the least); cost: the expected cost of the label, only of a model that was
    given a table of costs; other: the probability that the image is none of the classes, only of a model that was
    trained on such images; parent: only of a model with a hierarchy of classes: if the label is not sure, its lowest
    parent that is; parent_probability: of that parent. The label is the first of the probabilities. labels: only of a
    model that gives an image any number of labels: those of this image; label joins them with |, probability is that
    exactly these are right, and probabilities has the probability of each label."""

    name: str | None
    label: str
    labels: list[str] | None = None
    probability: Probability
    probabilities: dict[str, Probability]
    sure: bool
    familiar: bool
    remark: str | None = None
    rule: Literal["recall", "cost"] | None = None
    cost: float | None = None
    other: Probability | None = None
    parent: str | None = None
    parent_probability: Probability | None = None
    candidates: list[str] | None = None
    places: Places | None = None
    similar: list[TrainingImage] | None = None


class Unreadable(BaseModel):
    """One of several files that is not a readable image."""

    name: str | None
    problem: Problem


class Answers(BaseModel):
    """A prediction for each image, in the order they were sent. digest: of the model's card; id: of the request."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE_ANSWER})

    schema_: Literal[1] = Field(alias="schema")
    model: str
    digest: str
    id: str
    predictions: list[Answer | Unreadable]


class Promises(BaseModel):
    """The values of `accuracy` and `coverage` that can be guaranteed. recall: class -> the share of its photos that are
    answered as it, with 90% confidence."""

    accuracy: list[float]
    coverage: list[float]
    recall: dict[str, Probability] = {}


class Accuracy(BaseModel):
    """An accuracy (`value`), and its 95% interval from `low` to `high`."""

    value: float
    low: float
    high: float
    correct: int
    count: int


class Measured(BaseModel):
    """Measured on photos that were not trained on."""

    loss: float
    accuracy: Accuracy


class LimitsOfRequests(BaseModel):
    """What the service accepts in one request."""

    file_bytes: int
    request_bytes: int
    files: int
    pixels: int


class Model(BaseModel):
    """A description of a model. value_range: black and white in photos with 16 bits a value. models: the names of all
    models that are served. parents: in a hierarchy of classes, those that may be answered if a class is not sure.
    multi_label: whether an image may have several of the classes, or none; the accuracy is then the share of answers
    that are exactly right. keeps_samples: the share of photos that the operator keeps; 0: none."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE_MODEL})

    schema_: Literal[1] = Field(alias="schema")
    model: str
    digest: str
    class_names: list[str]
    image_size: int
    resizing: str
    value_range: tuple[int, int]
    backbone: str
    recipe: str
    promises: Promises
    knows_what_is_familiar: bool
    knows_others: bool = False
    parents: list[str] = []
    multi_label: bool = False
    metrics: dict[Literal["validation", "test"], Measured | None]
    models: list[str]
    limits: LimitsOfRequests
    shows_training_images: bool
    keeps_samples: Annotated[float, Field(ge=0, le=1)]


class Health(BaseModel):
    status: Literal["ok"]
