"""Are probabilities true, guarantees kept, and strangers known as such?

    python benchmarks/trust.py cats_and_dogs_filtered --seeds 0 1 2 3 4 --strangers photos-of-something-else ...
    python benchmarks/trust.py solar-cells --seeds 0 1 2 3 4

Trains the head for each seed. Where there is a validation split, half of it is held out for the test; elsewhere a
quarter of all images. Prints of each seed the expected calibration error on the test images before and after
calibration, what became there of the promises --accuracy 0.95 and --coverage 0.95, the share of test images that are
familiar (at least 95% are asked for), and of each folder of strangers the share that is not. Expected: see LOG.md.
"""

import argparse
from pathlib import Path

import numpy as np

import headstart as hs
from headstart.data.samples import get_solar_cells
from headstart.data.walking import images_below
from headstart.evaluation.guarantees import measure_guarantees
from headstart.evaluation.metrics import measure
from headstart.training.config import TrainingConfig
from headstart.training.trainer import train_classifier


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a collection as `headstart train` takes it, or solar-cells")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--strangers", type=Path, nargs="*", default=[], help="images, or folders of them")
    parser.add_argument("--backbone", default="mobilenet_v2")
    parser.add_argument("--list", action="store_true", help="name each stranger with its distance")
    arguments = parser.parse_args()
    path = get_solar_cells() if arguments.data == "solar-cells" else Path(arguments.data)
    fractions = {"test_fraction": 0.5} if (path / "validation").is_dir() else {"test_fraction": 0.25}
    for seed in arguments.seeds:
        images = hs.load_dataset(path, seed=seed, **fractions, listener=hs.Quiet())
        settings = TrainingConfig.of(
            recipe=hs.RECIPES["fast"].without_fine_tuning(), backbone=arguments.backbone, image_size=None,
            resizing="stretch", weights="pretrained", seed=seed, execution="cached", precision="float32",
        )  # fmt: skip
        trained = train_classifier(images, settings, listener=hs.Quiet())
        classifier, test = trained.classifier, images.test
        found = measure(trained.logits(test), test.labels, images.class_names, classifier.calibration)
        promises = measure_guarantees(found).to_json()
        sure, covered = promises["accuracy"]["0.95"], promises["coverage"]["0.95"]
        print(f"seed {seed}  accuracy {found.accuracy.value:.2%}  "
              f"temperature {classifier.calibration.temperature:.2f}  "
              f"calibration error {found.reliability_before.error:.2%} -> {found.reliability.error:.2%}  log loss "
              f"{found.loss:.4f} -> {found.log_loss:.4f}")  # fmt: skip
        if sure and sure["accuracy"]:
            print(f"  --accuracy 0.95: {sure['answered']['value']:.1%} answered, {sure['accuracy']['value']:.2%} right")
        print(f"  --coverage 0.95: {covered['covered']['value']:.2%}, {covered['mean_size']:.2f} candidates on average")
        detector = classifier.novelty_detector
        print(f"  familiar: {detector.is_familiar(trained.features(test)[:]).mean():.2%} of {len(test):,} test images")
        for place in arguments.strangers:
            files = images_below(place) if place.is_dir() else [place]
            pixels = [classifier._pixels_or_error(file) for file in files]
            shown = np.stack([image for image in pixels if isinstance(image, np.ndarray)])
            distances = np.concatenate(
                [
                    detector.distances(classifier.network.forward(shown[i : i + 32]).features)
                    for i in range(0, len(shown), 32)
                ]
            )
            far = distances > detector.farthest
            print(f"  strangers: {far.mean():.1%} of {len(far):,} in {place.name} are like nothing it was trained on")
            if arguments.list:
                for file, distance in zip(files, distances, strict=False):
                    print(f"    {distance:.3f} {'' if distance > detector.farthest else 'familiar'} {file.name}")


if __name__ == "__main__":
    main()
