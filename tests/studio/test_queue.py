"""The queue finds what is wrong, asks for what teaches, and says when to stop."""

import numpy as np
import pytest

from headstart.data.answers_file import RunAnswer
from headstart.inspection.duplicates import Pair
from headstart.inspection.findings import CONFLICT, DOUBT, LEAK, NEAR
from headstart.studio.answers import NO_LABEL, Answers
from headstart.studio.flags import flags
from headstart.studio.neighbourhood import Neighbourhood
from headstart.studio.queue.build import build_queue
from headstart.studio.queue.choosing import clusters, has_enough_labels, most_informative
from headstart.studio.queue.items import BULK, CLUSTER, COPIES, LABEL, UNLABELLED, Queue
from headstart.studio.solving import AnswerSolver
from support.real_features import RealFeatures

PLANTED = 30


@pytest.fixture(scope="module")
def planted(real: RealFeatures) -> tuple[np.ndarray, np.ndarray, Answers]:
    """Labels, 30 of which are wrong; which; and the answers. The scenes are far from the cells, and those are hard."""
    labels = real.labels.copy()
    scene = real.names.index("scene")
    chosen = np.random.default_rng(2).permutation(np.flatnonzero(labels != scene))[:PLANTED]
    labels[chosen] = scene
    return labels, chosen, AnswerSolver(real.photos, real.groups).answers(labels, real.names)


def queue_of(real: RealFeatures, answers: Answers | None, labels: np.ndarray, **more) -> Queue:
    return build_queue(answers, real.photos, None, labels, real.names, real.images.digests, **more)


def test_wrong_labels_come_first_with_the_right_suggestion(real: RealFeatures, planted):
    labels, chosen, answers = planted
    found = queue_of(real, answers, labels)
    first = found.items[:PLANTED]
    assert {item.kind for item in first} == {LABEL}
    assert np.mean([item.photos[0] in chosen for item in first]) > 0.5  # others are cells that are hard to tell
    scenes = [item for item in found.items if item.kind == LABEL and item.reason["label"] == "scene"]
    assert len(scenes) > 0.7 * PLANTED
    assert np.mean([item.photos[0] in chosen for item in scenes]) > 0.95
    right = [real.names[real.labels[item.photos[0]]] == item.suggested for item in scenes]
    assert np.mean(right) > 0.6
    assert not found.expected.stop
    assert found.expected.gain > 5
    assert found.to_json()["items"][0]["text"].startswith("Labelled '")


def test_what_was_answered_is_not_asked_again_and_keys_are_those_of_any_process(real: RealFeatures, planted):
    labels, _, answers = planted
    before = queue_of(real, answers, labels)
    assert [item.key for item in queue_of(real, answers, labels).items] == [item.key for item in before.items]
    assert len({item.key for item in before.items}) == len(before.items)
    done = {item.key for item in before.items[:5]}
    after = queue_of(real, answers, labels, answered=done)
    assert after.items == before.items[5:]
    assert after.left == before.left - 5
    short = queue_of(real, answers, labels, limit=3)
    assert (len(short.items), short.left) == (3, before.left)


def test_a_label_that_was_corrected_meanwhile_is_not_asked_about(real: RealFeatures, planted):
    labels, _, answers = planted
    asked = queue_of(real, answers, labels).items[0]
    corrected = labels.copy()
    corrected[asked.photos[0]] = real.names.index(asked.suggested or "")
    again = queue_of(real, answers, corrected)
    assert all(asked.photos != item.photos for item in again.items if item.kind == LABEL)


def test_clean_labels_end_the_queue_soon(real: RealFeatures):
    """Of scenes and intact cells, which no head confuses."""
    cells = real.names.index("defective")
    labels = np.where(real.labels == cells, NO_LABEL, real.labels)
    answers = AnswerSolver(real.photos, real.groups).answers(labels, real.names)
    found = queue_of(real, answers, labels, excluded=np.flatnonzero(labels < 0).tolist())
    assert found.expected.stop
    assert not [item for item in found.items if item.kind in (CLUSTER, UNLABELLED, BULK)]


def test_copies_under_two_labels_are_one_question(real: RealFeatures, planted):
    labels, _, answers = planted
    first, second = int(np.flatnonzero(labels == 0)[0]), int(np.flatnonzero(labels == 1)[0])
    pairs = [Pair(first, second, NEAR, 0.97), Pair(first, first + 1, NEAR, 0.95)]
    [item] = [each for each in queue_of(real, answers, labels, copies=pairs).items if each.kind == COPIES]
    assert item.photos == (first, second)
    assert item.suggested in (real.names[0], real.names[1])
    found = flags(answers, None, pairs, labels, ["train"] * second + ["test"] * (len(labels) - second))
    np.testing.assert_array_equal(found[CONFLICT], [first, second])
    assert set(found[LEAK]) == {first, second}
    assert next(iter(found)) == LEAK
    assert len(found[DOUBT]) >= PLANTED // 2


def test_without_labels_clusters_of_one_kind_come_first(real: RealFeatures):
    nothing = np.full(len(real.labels), NO_LABEL)
    found = queue_of(real, None, nothing)
    assert {item.kind for item in found.items} == {CLUSTER}
    assert all(item.suggested is None for item in found.items)
    is_scene = real.labels == real.names.index("scene")
    pure = [is_scene[list(item.photos)].mean() for item in found.items]
    assert np.mean([share in (0.0, 1.0) for share in pure]) > 0.8
    shown = [photo for item in found.items for photo in item.photos]
    assert len(set(shown)) == len(shown)


def test_the_labels_of_two_clusters_are_not_enough_whatever_their_number(real: RealFeatures):
    everything = np.arange(len(real.labels))
    labels = np.full(len(everything), -1)
    for name, members in enumerate(clusters(real.photos.directions, everything, everything[:0], 10, seed=0)[:2]):
        labels[members] = name
    assert (labels >= 0).sum() >= 20
    assert not has_enough_labels(real.photos.directions, np.flatnonzero(labels < 0), labels, seed=0)
    spread = np.where(np.random.default_rng(0).random(len(labels)) < 0.5, real.labels, -1)
    assert has_enough_labels(real.photos.directions, np.flatnonzero(spread < 0), spread, seed=0)


def test_labelled_photos_cover_their_clusters(real: RealFeatures):
    everything = np.arange(len(real.labels))
    first = clusters(real.photos.directions, everything, everything[:0], 5, seed=0)
    labelled = np.array([members[0] for members in first])
    waiting = np.setdiff1d(everything, labelled)
    for members in clusters(real.photos.directions, waiting, labelled, 5, seed=0):
        assert not np.isin(members, labelled).any()


def test_then_photos_between_two_classes_that_differ(real: RealFeatures):
    labels = np.where(np.arange(len(real.labels)) % 3 == 0, real.labels, NO_LABEL)
    answers = AnswerSolver(real.photos, real.groups).answers(labels, real.names)
    waiting = np.flatnonzero(labels < 0)
    chosen = most_informative(answers, real.photos.directions, waiting, 10)
    assert len(set(chosen.tolist())) == 10
    assert np.isin(chosen, waiting).all()
    assert answers.margin[chosen].mean() < 0.5 * answers.margin[waiting].mean()
    narrowest = waiting[np.argsort(answers.margin[waiting])[:10]]
    ways = real.photos.directions
    assert (ways[chosen] @ ways[chosen].T).mean() < (ways[narrowest] @ ways[narrowest].T).mean()
    found = queue_of(real, answers, labels)
    kinds = [item.kind for item in found.items]
    assert kinds[0] == UNLABELLED  # most photos wait
    [*_, bulk] = [item for item in found.items if item.kind == BULK]
    assert (real.labels[list(bulk.photos)] == real.names.index(bulk.suggested or "")).mean() > 0.8


def test_nothing_to_ask_is_no_error(real: RealFeatures):
    nothing = np.full(len(real.labels), NO_LABEL)
    found = queue_of(real, None, nothing, excluded=range(len(nothing)))
    assert (found.items, found.left, found.expected.stop) == ((), 0, True)


def test_neighbours_are_the_most_similar_photos(real: RealFeatures):
    order = np.arange(len(real.labels))
    order[5] = -1  # has no features
    ways = real.photos.take(order).directions
    found = Neighbourhood.of(ways)
    cosines = np.nan_to_num(ways[7] @ ways.T, nan=-2.0)
    cosines[7] = -2.0
    np.testing.assert_array_equal(found.neighbours[7], np.argsort(-cosines)[: found.neighbours.shape[1]])
    assert (found.neighbours[5] == -1).all()
    assert np.isnan(found.novelty[5])
    assert not (found.neighbours == 5).any()
    assert not found.unlike_all[5]


def test_answers_of_a_run_are_asked_first_until_labels_know_better(real: RealFeatures):
    """As those of photos that a service has kept: `answers.csv` beside them."""
    nothing = np.full(len(real.labels), NO_LABEL)
    names = real.names
    proposed = {photo: RunAnswer(names[0], 0.5 + photo / 1_000, "pets") for photo in range(40)}
    found = queue_of(real, None, nothing, proposed=proposed)
    first = found.items[:40]
    assert [item.photos for item in first] == [(photo,) for photo in range(40)], "the least sure ones first"
    assert {(item.kind, item.suggested) for item in first} == {(UNLABELLED, names[0])}
    assert first[0].to_json()["text"] == f"The run 'pets' answered '{names[0]}' (50.0%)."
    assert CLUSTER in {item.kind for item in found.items[40:]}
    assert not found.expected.stop
    some = nothing.copy()
    some[:5] = real.labels[:5]
    assert queue_of(real, None, some, proposed=proposed).items[0].photos == (5,)
    answers = AnswerSolver(real.photos, real.groups).answers(real.labels, names)
    later = queue_of(real, answers, real.labels, proposed=proposed)
    assert all(item.reason["code"] != "answered" for item in later.items)
