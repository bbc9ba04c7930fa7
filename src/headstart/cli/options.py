"""The arguments and options of the commands: name, help, group, choices. What they do is in `commands/`."""

from pathlib import Path
from typing import Annotated

from typer import Argument

from headstart.cli import choices
from headstart.cli.base_options import AtLeast as AtLeast
from headstart.cli.base_options import Backbone as Backbone
from headstart.cli.base_options import Candidates as Candidates
from headstart.cli.base_options import GivenWeights as GivenWeights
from headstart.cli.base_options import Measured as Measured
from headstart.cli.base_options import MeasuredSize as MeasuredSize
from headstart.cli.base_options import Weights as Weights
from headstart.cli.choices import option
from headstart.cli.helping import DATA, EXPERT, USUAL, about_data, for_experts, limit, new_path, usual
from headstart.cli.source_options import DataPath as DataPath

# Of several commands

RunFolder = Annotated[Path, Argument(metavar="RUN", help="Folder that `headstart train` wrote.")]
RecipeName = Annotated[
    str,
    option(
        "--recipe",
        choice=choices.RECIPE,
        group=USUAL,
        help="fast: solve the head, then fine-tune if it helps. tutorial: as TensorFlow's tutorial does.",
    ),
    choices.RECIPE,
]
ImageSize = Annotated[
    int | None, usual(min=1, metavar="PIXELS", help="Side of the images. By default the recipe's, or the base's.")
]
Seed = Annotated[
    int, usual(min=0, metavar="N", help="Of everything that is random: splits, head, order, augmentation.")
]
Resume = Annotated[bool, usual("--resume", help="Resume a run that was stopped.")]
TimeLimit = Annotated[
    str | None,
    usual(
        metavar="TIME",
        help="Such as 90s, 10m or 1h30m, for all of it: what is left is spent on what gains most (mirrored views, a "
        "second base, fine-tuning).",
    ),
]
Device = Annotated[
    str,
    option(
        "--device",
        choice=choices.DEVICE,
        group=USUAL,
        help="gpu: an NVIDIA GPU; it needs headstart[gpu], see `headstart doctor`. auto: the processor.",
    ),
    choices.DEVICE,
]
On = Annotated[
    str | None,
    usual(
        metavar="CLUSTER",
        help="Work on a cluster, with headstart[ray]: ray: this machine's; or its address, such as ray://HEAD:10001.",
    ),
]
Store = Annotated[
    str | None,
    usual(
        metavar="PLACE",
        help="With --on: folder or URL that all machines of the cluster reach, for what they compute. By default the "
        "cache, where this machine is all of it.",
    ),
]
Images = Annotated[int | None, about_data(min=8, metavar="N", help="Use only about so many images, for a quick look.")]
Epochs = Annotated[int | None, for_experts(min=1, metavar="N", help="Epochs in each phase, instead of the recipe's.")]

# demo, inspect

Sample = Annotated[
    str | None,
    option(
        "--data",
        choice=choices.SAMPLE,
        group=USUAL,
        help="cats-and-dogs is downloaded; solar-cells comes from the package elpv-dataset. By default the first, or "
        "the second where there is no network.",
    ),
    choices.SAMPLE,
]
DemoOut = Annotated[Path, new_path("RUN", "Folder to write the run into.")]
FindingsOut = Annotated[
    Path | None, new_path("FOLDER", "Write the findings into this new folder, with a page of pictures.")
]

# train

TrainOut = Annotated[Path, new_path("RUN", "Folder to write the run into; it must not exist yet.")]
FineTune = Annotated[
    str,
    option(
        "--fine-tune",
        choice=choices.FINE_TUNE,
        group=USUAL,
        help="auto: keep it as the recipe says, or if it helps. never: train the head only.",
    ),
    choices.FINE_TUNE,
]
Resize = Annotated[
    str,
    option(
        "--resize",
        choice=choices.RESIZE,
        group=DATA,
        help="How a photo becomes a square: stretch it, crop out its middle (resize-crop: 7/8 of that), or pad it with "
        "grey. auto: whatever the training photos are answered best by.",
    ),
    choices.RESIZE,
]
ValueRange = Annotated[
    str | None,
    about_data(
        metavar="LOW:HIGH",
        help="Black and white in photos with 16 bits a value, such as 0:4095 for a camera of 12 bits. By default as "
        "found in the photos.",
    ),
]
Views = Annotated[
    str,
    option(
        "--views",
        choice=choices.VIEWS,
        group=DATA,
        help="Which views of a photo are trained on, besides the original. auto: those that do no harm.",
    ),
    choices.VIEWS,
]
TestFraction = Annotated[
    float | None,
    about_data(min=0, max=0.9, metavar="SHARE", help="Held out for the test where DATA has none; 0: no test."),
]
Balanced = Annotated[bool, about_data("--balanced", help="All classes count alike, however many images they have.")]
Precision = Annotated[
    str,
    option(
        "--precision",
        choice=choices.PRECISION,
        group=EXPERT,
        help="Of the engine; bfloat16 where the processor has it. auto: bfloat16 for training photos alone, if it is "
        "fast there.",
    ),
    choices.PRECISION,
]
Execution = Annotated[
    str,
    option(
        "--execution",
        choice=choices.EXECUTION,
        group=EXPERT,
        help="cached: a compiled engine computes the frozen layers once. end_to_end: Keras runs the whole model in "
        "each step, slowly.",
    ),
    choices.EXECUTION,
]

# evaluate, compare, predict

SplitName = Annotated[
    str | None,
    option(
        "--split",
        choice=choices.SPLIT,
        group=USUAL,
        help="By default DATA's test images, or where it has none, all images that RUN was neither trained nor "
        "validated on.",
    ),
    choices.SPLIT,
]
First = Annotated[Path, Argument(metavar="FIRST", help="Folder of a run.")]
Second = Annotated[Path, Argument(metavar="SECOND", help="Folder of another run.")]
Photos = Annotated[
    list[str],
    Argument(
        metavar="IMAGE...",
        help="Image files, folders of them, or patterns: 'photos/**/*.jpg'; or URLs: 's3://bucket/photos/**/*.jpg'.",
    ),
]
Top = Annotated[int | None, usual(min=1, metavar="K", help="Show the K most probable classes (with JSON: all).")]
Accuracy = Annotated[
    float | None,
    usual(
        metavar="SHARE",
        help="Answer 'not sure' so often that this share of all other answers is correct. By default 0.95, where that "
        "can be guaranteed.",
    ),
]
Coverage = Annotated[
    float | None,
    usual(
        metavar="SHARE",
        help="Name so many classes that the correct one is among them for this share of photos; 'not sure' where that "
        "is not exactly one.",
    ),
]
AverageViews = Annotated[
    bool,
    usual("--views", help="Average over the views that it was trained on: a little more accurate, and slower."),
]
Explain = Annotated[
    Path | None,
    new_path("FOLDER", "Write each photo into this new folder, dark where nothing on it speaks for the answer."),
]
PredictionFormat = Annotated[
    str | None,
    option(
        "--format",
        choice=choices.PREDICTION_FORMAT,
        group=USUAL,
        help="jsonl: JSON lines. By default as FILE ends, or text.",
    ),
    choices.PREDICTION_FORMAT,
]
AnswersOut = Annotated[
    str | None,
    new_path(
        "PLACE",
        "Write the answers into this new file, as they come; or, if it ends in / or is a URL, as Parquet into this "
        "folder: if it was stopped, the same command goes on there.",
    ),
]

# export

ExportFormat = Annotated[
    str, option("--format", choice=choices.EXPORT_FORMAT, group=USUAL, help="What to write."), choices.EXPORT_FORMAT
]
ExportOut = Annotated[
    Path,
    new_path(
        "PATH",
        "Where to: a file (onnx, litert) with a JSON beside it, or a folder (openvino, saved-model, web); it must not "
        "exist yet.",
    ),
]
Quantize = Annotated[
    str | None,
    option(
        "--quantize",
        choice=choices.QUANTIZE,
        group=USUAL,
        help="int8 is calibrated on the training photos. Not for saved-model; web: float16 alone.",
    ),
    choices.QUANTIZE,
]
Pixels = Annotated[
    str,
    option("--pixels", choice=choices.PIXELS, group=USUAL, help="What the file is given, 0 to 255."),
    choices.PIXELS,
]
FixedSize = Annotated[bool, usual("--fixed-size", help="For small devices: take squares, not photos of any size.")]
MovedData = Annotated[
    Path | None, usual(metavar="DATA", help="Where the photos of RUN are now, if they were moved since its training.")
]

# serve

Runs = Annotated[
    list[str],
    Argument(metavar="RUN...", help="Folders of runs, each as RUN or NAME=RUN; the first one answers by default."),
]
Host = Annotated[str, usual(metavar="ADDRESS", help="Address to listen at; 0.0.0.0: whoever can reach it.")]
Port = Annotated[int, usual(min=0, max=65535, metavar="N", help="Port to listen at; 0: a free one.")]
KeyFile = Annotated[
    Path | None,
    usual(metavar="FILE", help="File with a key that each request must carry; or set HEADSTART_API_KEY."),
]
Cors = Annotated[
    list[str] | None,
    usual(metavar="ORIGIN", help="Origin of web pages elsewhere that may ask; give it again for others."),
]
PathPrefix = Annotated[
    str, usual(metavar="PATH", help="Path under which a proxy shows the service, such as /pets.", show_default=False)
]
ShowTrainingImages = Annotated[
    bool, usual("--show-training-images", help="Show those most like an image, with the answer, to anyone.")
]
KeepSamples = Annotated[
    Path | None,
    usual(
        metavar="FOLDER",
        help="Keep a random part of the photos here, with their answers; the page says so. By default none is kept.",
    ),
]
Rate = Annotated[float, usual(min=0, max=1, metavar="SHARE", help="Of the photos, for --keep-samples.")]
KeepAtMost = Annotated[int, limit(min=1, help="Photos in the folder of --keep-samples, and 1 GB.")]
MaxMegabytes = Annotated[
    float, limit(min=0.001, help="Of an image file; a request of several may be four times as large.")
]
MaxMegapixels = Annotated[float, limit(min=0.001, max=178, help="Of an image.")]
MaxFiles = Annotated[int, limit(min=1, help="Images in a request.")]
Queue = Annotated[int, limit(min=1, help="Images that may wait; more are refused for a second.")]

# labels, diff

Collected = Annotated[
    Path,
    Argument(
        metavar="DATA", help="Folder, zip or CSV, as for `headstart train`; or a folder of photos without labels."
    ),
]
ExportedLabels = Annotated[
    Path | None, usual("--export", metavar="PATH", help="Write the labels that count to this new CSV or folder.")
]
LabelForm = Annotated[
    str,
    option(
        "--form",
        choice=choices.LABEL_FORM,
        group=USUAL,
        help="Of --export: a CSV of paths and labels, or a folder of class folders with links to photos, or copies.",
    ),
    choices.LABEL_FORM,
]
ImportedLabels = Annotated[
    Path | None,
    usual(
        "--import",
        metavar="CSV",
        help="Give photos the labels of a CSV with the columns path,label; others keep theirs.",
    ),
]
Undo = Annotated[bool, usual("--undo", help="Undo the last step that is not undone yet.")]
Redo = Annotated[bool, usual("--redo", help="Redo the step that was undone last.")]
DataOrRun = Annotated[Path, Argument(metavar="DATA|RUN", help="A collection; or the folder of a run.")]
OtherRun = Annotated[Path | None, Argument(metavar="RUN", help="Of two runs, the folder of the other one.")]
FromState = Annotated[
    str | None,
    usual("--from", metavar="STATE", help="State of the labels: own, now, a step, or its id. By default own: DATA's."),
]
ToState = Annotated[str | None, usual("--to", metavar="STATE", help="State to compare with. By default now.")]

# studio

StudioData = Annotated[
    Path | None,
    Argument(
        metavar="[DATA]",
        help="Photos to open, as for `headstart train`, or a folder of photos without labels; or the folder of a run. "
        "By default they are chosen in the browser.",
    ),
]
StudioPort = Annotated[int, usual(min=0, max=65535, metavar="N", help="Port to listen at; 0: a free one.")]
PasswordFile = Annotated[
    Path | None,
    usual(metavar="FILE", help="File with a password, for browsers that do not have the address; --host needs one."),
]
Language = Annotated[
    str | None,
    option("--language", choice=choices.LANGUAGE, group=USUAL, help="Of the page. By default the browser's."),
    choices.LANGUAGE,
]
NoBrowser = Annotated[bool, usual("--no-browser", help="Print the address only.")]

# cache

Clear = Annotated[bool, usual("--clear", help="Remove it. It is made again when it is needed.")]
