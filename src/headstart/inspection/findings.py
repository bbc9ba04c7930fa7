"""What there is to find in a collection: the table KINDS, and Finding, one row of findings.csv. Knows only words."""

from dataclasses import dataclass

LEAK, CONFLICT, DOUBT = "leak", "conflicting labels", "doubtful label"
UNREADABLE = "unreadable"
BYTES, PIXELS, NEAR = "same bytes", "same pixels", "nearly the same"
OUTLIER = "unlike its class"
WRONG_ENDING, COLOURS, SMALL, SHAPE = "wrong ending", "unusual colours", "small", "very oblong"

# kind -> what it means, and what to do; in the order in which they matter
KINDS = {
    LEAK: "A photo that is held out to measure the classifier, and a copy of it that the classifier learns from (or is "
    "chosen by): the accuracy looks better than it is. Take one of the two out, or let headstart draw the splits.",
    CONFLICT: "The same photo under two labels: one of them is wrong, or both are right and a photo needs two labels.",
    DOUBT: "A classifier that was trained without these photos calls them something else, and is sure of it. Some are "
    "mislabelled, some only hard to tell: look at them. The surest come first.",
    UNREADABLE: "Files that cannot be decoded. They are left out of a training.",
    BYTES: "Copies of a file. headstart keeps them on one side of the splits that it draws.",
    PIXELS: "Files that differ in their bytes and show the same pixels.",
    NEAR: "The same photo resized, compressed anew, mirrored or a little cropped; or two shots of the same thing, one "
    "right after the other.",
    OUTLIER: "Photos that look unlike all others of their class: wrong ones, broken ones, or rare and precious ones.",
    WRONG_ENDING: "The content is another format than the file's name says. headstart reads it all the same.",
    COLOURS: "Colours or transparency that most of the other photos do not have.",
    SMALL: "So few pixels that they are enlarged more than twice.",
    SHAPE: "Far from square, and squeezed into one: what is on them is distorted, unless `headstart train` is told to "
    "--resize crop (the middle alone is seen) or --resize pad (all is seen, smaller).",
}


@dataclass(frozen=True)
class Finding:
    """One finding. What does not apply is empty.

    kind: a row of KINDS.
    path, label, split: of the image; the split is the one that the collection itself gives.
    other, other_label, other_split: of the image that it is a copy of.
    suggested: the class that it seems to belong to.
    score: how sure it is; for copies the likeness (1: no difference), for doubtful labels how much more probable the
        suggested class is (0 to 1), for what is unlike its class robust standard deviations, for shapes longer side by
        shorter side.
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
