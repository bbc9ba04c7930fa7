"""Storyteller: a Console for the demo, which explains each step as it begins."""

from headstart.events import Event, Step, StepStarted
from headstart.listeners.console import Console

STORY = {
    Step.READ_DATA: "Every image is read once, to find those that cannot be used. Then some are held out: what counts\n"
    "is how a classifier does on images that it was not trained on.",
    Step.COMPOSE: "A network that has seen a million photos (ImageNet) knows edges, textures, eyes and wheels.\n"
    "It becomes the base. Behind it comes a new head, with one number for each new class.",
    Step.TRAIN_HEAD: "The base stays as it is (frozen) and turns each image into features. Only the head learns.",
    Step.FINE_TUNE: "Now the top layers of the base are trained too, in small steps, so that what the base knows\n"
    "is adjusted to these images and not overwritten.",
    Step.EVALUATE: "The classifier is measured on the images that were held out. Each interval (95%) says how far\n"
    "chance alone may reach.",
    Step.PREDICT: "The classifier answers for single images. The pictures show some, correct and wrong.",
}


class Storyteller(Console):
    """A Console that explains each step."""

    def emit(self, event: Event) -> None:
        super().emit(event)
        if isinstance(event, StepStarted) and event.step in STORY:
            self.console.print(STORY[event.step], style="dim", markup=False, soft_wrap=True)
