"""What can be found in a collection: the table KINDS, and Finding, one row of findings.csv. Knows only words."""

from dataclasses import dataclass

# The values are part of the file format: findings.csv, findings.json and metrics.json.
LEAK, CONFLICT, DOUBT = "leak", "conflicting labels", "doubtful label"
UNREADABLE = "unreadable"
BYTES, PIXELS, NEAR = "same bytes", "same pixels", "nearly the same"
OUTLIER, NOVEL = "unlike its class", "unlike all others"
SHORTCUT, GROUPING = "shortcut", "possible grouping"
WRONG_ENDING, COLOURS, SMALL, SHAPE = "wrong ending", "unusual colours", "small", "very oblong"

ON_THE_COLLECTION = (SHORTCUT, GROUPING)  # kinds of findings that name no single image

# kind -> what it means, and what to do about it; the most important first
KINDS = {
    LEAK: "A photo that is held out to measure the classifier has a copy among the photos that it is trained on, or "
    "selected by. Accuracy then looks better than it is. Remove one of the two, or let headstart draw the splits.",
    SHORTCUT: "Something technical, not what the photos show, tells the classes apart. A classifier may learn that, "
    "measure well on photos of this collection, and fail on others. Take the photos of all classes from the same "
    "sources, make them alike (format, size, colours, borders), and measure with `headstart evaluate` on photos from "
    "elsewhere. All classes count alike in the share that a property tells.",
    GROUPING: "Several photos seem to show one thing. If some of them are trained on and others are held out, accuracy "
    "looks better than it will be on new things.",
    CONFLICT: "The same photo under two labels. Either one of them is wrong, or the photo needs both.",
    DOUBT: "A classifier that was trained without these photos is confident that they belong to another class. Some "
    "are mislabelled, others are only hard to recognize: check them. The most doubtful come first.",
    UNREADABLE: "Files that cannot be decoded. Training leaves them out.",
    BYTES: "Identical files. headstart keeps them on one side of the splits that it draws.",
    PIXELS: "Files with different bytes that show exactly the same pixels.",
    NEAR: "The same photo resized, recompressed, mirrored or slightly cropped, or two shots of the same thing in quick "
    "succession.",
    OUTLIER: "Photos that look unlike all others of their class. They may be mistakes, damaged, or rare and valuable.",
    NOVEL: "Photos that look unlike all others of the collection, whatever their class, as the studio lists them. "
    "They may not belong here.",
    WRONG_ENDING: "Files in another format than their name says. headstart reads them all the same.",
    COLOURS: "Colours or transparency that most of the other photos do not have.",
    SMALL: "Photos with so few pixels that they are enlarged more than twofold.",
    SHAPE: "Photos that are far from square, so that stretching them into one distorts what they show. To avoid that, "
    "train with `--resize crop` (only the middle is used) or `--resize pad` (all of it is used, smaller).",
}


@dataclass(frozen=True)
class Finding:
    """One finding. Fields that do not apply are empty.

    kind: a key of KINDS.
    path, label, split: of the image; the split is the one that the collection itself gives. Empty where the finding is
        on the collection as a whole.
    other, other_label, other_split: of the image that it is a copy of.
    suggested: the class that it seems to belong to.
    score: how sure or how strong the finding is. Copies: similarity (1: no difference). Doubtful labels: how much more
        probable the suggested class is (0 to 1). Images unlike their class: robust standard deviations. Shapes: longer
        side divided by shorter side. Shortcuts: accuracy of the property alone. Groupings: share of photos whose most
        similar one is of their group.
    detail: in words.
    """

    kind: str
    path: str
    label: str = ""
    split: str = ""
    other: str = ""
    other_label: str = ""
    other_split: str = ""
    suggested: str = ""
    score: float | None = None
    detail: str = ""
