"""The documents that the service gives, for its OpenAPI description. A test holds that they are what it gives."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

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
    "backbone": "mobilenet_v2",
    "recipe": "fast",
    "promises": {"accuracy": [0.8, 0.9, 0.95, 0.98], "coverage": [0.8, 0.9, 0.95, 0.98, 0.99, 0.995]},
    "knows_what_is_familiar": True,
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
}  # fmt: skip
EXAMPLE_DETAILS = {  # of each of the problems that the document names
    "bad-request": "The connection ended before the body did.",
    "bad-multipart": "The form cannot be read: its Content-Type names no boundary, or a wrong one.",
    "no-image": "The form holds no file. Send at least one, such as curl's --form file=@photo.jpg.",
    "unauthorized": "This service asks for its key, as 'Authorization: Bearer KEY'.",
    "not-found": "There is nothing at this address.",
    "unknown-model": "There is no model 'pets' here.",
    "too-slow": "The body came more slowly than 50,000 bytes a second. Send smaller images.",
    "too-many-bytes": "The file has more than 20 MB. Send a smaller one.",
    "too-many-pixels": "The image has 12000 x 9000 pixels, more than 50,000,000; make it smaller.",
    "too-many-files": "The form holds more than 32 files. Send them in several requests.",
    "not-an-image": "The file is no image that headstart reads (JPEG, PNG, WebP, BMP, GIF, TIFF).",
    "unsupported-media-type": "Send the file with 'Content-Type: image/jpeg', or files as multipart/form-data.",
    "unreadable-image": "The image is damaged or cut short.",
    "impossible-promise": "An accuracy of 0.99 cannot be promised.",
    "invalid-parameter": "Wrong parameters: top: Input should be greater than or equal to 1.",
    "queue-full": "The service has as much to do as it can keep. Ask again in a second.",
    "took-too-long": "The answer took too long. Ask again in a second.",
    "ending": "The service is ending; it takes no new work.",
}

Probability = Annotated[float, Field(ge=0, le=1)]


def _share(description: str):
    """A promise; as in a query, where it may be left out, but never be null."""
    schema = {"type": "number", "exclusiveMinimum": 0, "maximum": 0.999, "examples": [0.95]}
    return Annotated[float | None, Field(gt=0, lt=1, description=description), WithJsonSchema(schema)]


class Choice(BaseModel):
    """Which of the models. An unknown option is refused: it may be a slip of the pen."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field("", description="Name of the model; by default the first.", examples=["photos"])


class Options(Choice):
    """What may be asked of an answer."""

    top: Annotated[
        int | None, Field(ge=1, description="Only so many of the probabilities, the highest."),
        WithJsonSchema({"type": "integer", "minimum": 1, "examples": [3]}),
    ] = None  # fmt: skip
    accuracy: _share("Say 'not sure' so often that this share of all other answers is right. "
                     "Not together with coverage.") = None  # type: ignore[valid-type]  # fmt: skip
    coverage: _share("Name so many candidates that the right class is among them in this share of photos. "
                     "Not together with accuracy.") = None  # type: ignore[valid-type]  # fmt: skip
    explain: bool = Field(False, description="Say where on the photo each answer comes from.")


class Problem(BaseModel):
    """RFC 9457. code: what a client can tell apart; id: that of the request; errors: which parameters are wrong."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    id: str | None = None
    errors: list[dict[str, str]] | None = None


class Places(BaseModel):
    """Where on the square that the network sees an answer comes from. values: a row after another, from the top left;
    what each place says for the class that was answered, against the mean of all classes. resizing: how the photo
    became that square."""

    height: int
    width: int
    resizing: str
    values: list[float]


class TrainingImage(BaseModel):
    """A training image like the one that was sent. similarity: cosine of their features; image: a data URL."""

    label: str
    similarity: float
    image: str


class Answer(BaseModel):
    """sure: whether the probability is as high as the promise takes (by default 0.95, if the validation photos were
    enough to give it; else any is), and the image familiar; familiar: whether the image is like anything that
    the model was trained on; candidates: where a coverage was asked for."""

    name: str | None
    label: str
    probability: Probability
    probabilities: dict[str, Probability]
    sure: bool
    familiar: bool
    candidates: list[str] | None = None
    places: Places | None = None
    similar: list[TrainingImage] | None = None


class Unreadable(BaseModel):
    """One among several files that is no image that can be read."""

    name: str | None
    problem: Problem


class Answers(BaseModel):
    """An answer for each image, in their order. digest: of the model's card; id: of the request."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE_ANSWER})

    schema_: Literal[1] = Field(alias="schema")
    model: str
    digest: str
    id: str
    predictions: list[Answer | Unreadable]


class Promises(BaseModel):
    """What `accuracy` and `coverage` can be asked for."""

    accuracy: list[float]
    coverage: list[float]


class Accuracy(BaseModel):
    """With the bounds of its 95% interval."""

    value: float
    low: float
    high: float
    correct: int
    count: int


class Measured(BaseModel):
    """On held-out photos."""

    loss: float
    accuracy: Accuracy


class LimitsOfRequests(BaseModel):
    """What the service takes in one request."""

    file_bytes: int
    request_bytes: int
    files: int
    pixels: int


class Model(BaseModel):
    """What there is to know of a model. models: the names of all that are served."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE_MODEL})

    schema_: Literal[1] = Field(alias="schema")
    model: str
    digest: str
    class_names: list[str]
    image_size: int
    resizing: str
    backbone: str
    recipe: str
    promises: Promises
    knows_what_is_familiar: bool
    metrics: dict[Literal["validation", "test"], Measured | None]
    models: list[str]
    limits: LimitsOfRequests
    shows_training_images: bool


class Health(BaseModel):
    status: Literal["ok"]
