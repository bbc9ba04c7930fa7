"""Does a service without labels know how many of its answers are right, and does it stay quiet while nothing changes?

    python benchmarks/drift.py sign_digits weather trashnet covid_xray solar-cells

Of each collection, half is trained on (the head alone), and the other half is the world: its photos, with how the
classifier answers each and whether it is familiar. From the world, with replacement, come

- held-out photos, as many as a run of that collection keeps (30% of it), with labels: the reference;
- windows of 500 photos without labels, in which the shares of the classes are planted (drawn from a Dirichlet
  distribution: from all classes alike to nearly one alone). Printed: in how many of 200 windows, each with other
  held-out photos, the accuracy of the window is in the estimated interval (95% is promised); the mean error of the
  estimate, and of taking the held-out accuracy instead; the mean width of the interval;
- months of 600 windows (10,000 photos a day) in which nothing changes, each with other held-out photos. Printed: false
  alarms in each of 10 months. At most one is asked for;
- windows with planted shares, and windows of which a quarter of the photos is of another collection: in how many of 100
  there is an alarm.

Expected: see LOG.md.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import headstart as hs
from headstart.data.dataset import Split
from headstart.data.samples import get_solar_cells
from headstart.evaluation.drift import LEVEL, WINDOW, Answered, p_values
from headstart.evaluation.label_shift import estimate
from headstart.training.config import TrainingConfig
from headstart.training.trained import Trained
from headstart.training.trainer import train_classifier

WINDOWS, MONTHS, WINDOWS_OF_A_MONTH, TRIED = 200, 10, 600, 100
HELD_OUT = 0.3  # of a collection: 15% for validation, 15% for the test


@dataclass(frozen=True)
class World:
    """Photos, with what a classifier says of each."""

    labels: np.ndarray
    answers: np.ndarray
    confidences: np.ndarray
    familiar: np.ndarray
    classes: int

    @classmethod
    def of(cls, trained: Trained, photos: Split) -> "World":
        probabilities = trained.classifier.calibration.probabilities(trained.logits(photos))
        detector = trained.classifier.novelty_detector
        assert detector is not None
        familiar = detector.is_familiar(trained.last_layer(photos)[:])
        answers = probabilities.argmax(axis=1)
        return cls(photos.labels, answers, probabilities.max(axis=1), familiar, probabilities.shape[1])

    def answered(self, rows: np.ndarray) -> Answered:
        counts = np.bincount(self.answers[rows], minlength=self.classes)
        return Answered(counts, self.confidences[rows], int((~self.familiar[rows]).sum()), len(rows))

    def confusion(self, rows: np.ndarray) -> np.ndarray:
        found = np.zeros((self.classes, self.classes), int)
        np.add.at(found, (self.labels[rows], self.answers[rows]), 1)
        return found

    def drawn(self, count: int, rng: np.random.Generator, *, shifted: bool = False) -> np.ndarray:
        """Rows, with replacement; shifted: with other shares of the classes."""
        if not shifted:
            return rng.integers(0, len(self.labels), count)
        shares = rng.dirichlet(np.full(self.classes, rng.choice([0.3, 1.0, 5.0])))
        sizes = np.bincount(self.labels, minlength=self.classes)
        weights = np.where(sizes > 0, shares / np.maximum(sizes, 1), 0)[self.labels]
        return rng.choice(len(self.labels), count, p=weights / weights.sum())

    def accuracy(self, rows: np.ndarray) -> float:
        return float((self.answers[rows] == self.labels[rows]).mean())


def collection(name: str, folder: Path) -> hs.Dataset:
    path = get_solar_cells() if name == "solar-cells" else folder / name
    images, _ = hs.load_images(path, listener=hs.Quiet())
    order = np.random.default_rng(0).permutation(len(images))
    train, validation, test = np.split(order, [int(0.4 * len(order)), int(0.5 * len(order))])
    return hs.Dataset(images.class_names, *(images.take(part) for part in (train, validation, test)))


def trained_on(data: hs.Dataset) -> Trained:
    config = TrainingConfig.of(recipe=hs.RECIPES["fast"].without_fine_tuning())
    return train_classifier(data, config, listener=hs.Quiet())


def estimates(world: World, held_out: int, rng: np.random.Generator) -> str:
    inside, errors, naive, widths = [], [], [], []
    for number in range(WINDOWS):
        reference, window = world.drawn(held_out, rng), world.drawn(WINDOW, rng, shifted=True)
        truth = world.accuracy(window)
        found = estimate(world.confusion(reference), world.answered(window).answers, seed=number)
        inside.append(found.low <= truth <= found.high)
        errors.append(abs(found.accuracy - truth))
        naive.append(abs(world.accuracy(reference) - truth))
        widths.append(found.high - found.low)
    return (
        f"in the interval {np.mean(inside):.1%}; mean error {np.mean(errors):.2%} (held-out accuracy instead: "
        f"{np.mean(naive):.2%}); interval {np.mean(widths):.1%} wide"
    )


def false_alarms(world: World, held_out: int, rng: np.random.Generator) -> list[int]:
    found = []
    for _ in range(MONTHS):
        before = world.answered(world.drawn(held_out, rng))
        windows = (world.answered(world.drawn(WINDOW, rng)) for _ in range(WINDOWS_OF_A_MONTH))
        found.append(sum(p < LEVEL for window in windows for p in p_values(before, window).values()))
    return found


def noticed(world: World, strangers: World, held_out: int, rng: np.random.Generator) -> str:
    shifted, strange = [], []
    for _ in range(TRIED):
        before = world.answered(world.drawn(held_out, rng))
        shifted.append(min(p_values(before, world.answered(world.drawn(WINDOW, rng, shifted=True))).values()) < LEVEL)
        own, others = (
            each.answered(each.drawn(count, rng))
            for each, count in ((world, 3 * WINDOW // 4), (strangers, WINDOW // 4))
        )
        both = Answered(
            own.answers + others.answers,
            np.concatenate([own.confidences, others.confidences]),
            own.unfamiliar + others.unfamiliar,
            WINDOW,
        )
        strange.append(min(p_values(before, both).values()) < LEVEL)
    return f"{np.mean(shifted):.0%} of shifted windows, {np.mean(strange):.0%} of those with a quarter of strangers"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", help="names of collections in --folder, or solar-cells; at least two")
    parser.add_argument("--folder", type=Path, default=Path())
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    collections = {name: collection(name, arguments.folder) for name in arguments.data}
    for number, (name, data) in enumerate(collections.items()):
        rng = np.random.default_rng(arguments.seed)
        trained = trained_on(data)
        world = World.of(trained, data.test)
        others = collections[arguments.data[number - 1]].test
        strangers = World.of(trained, hs.Split(others.paths, np.zeros(len(others), int), others.digests, ("?",)))
        held_out = round(HELD_OUT * len(data))
        accuracy = world.accuracy(np.arange(len(world.labels)))
        print(f"{name}: {world.classes} classes, {held_out} held-out photos; accuracy in the world {accuracy:.1%}")
        print(f"  accuracy without labels: {estimates(world, held_out, rng)}")
        print(f"  false alarms a month, of {MONTHS}: {false_alarms(world, held_out, rng)}")
        print(f"  noticed: {noticed(world, strangers, held_out, rng)}", flush=True)


if __name__ == "__main__":
    main()
