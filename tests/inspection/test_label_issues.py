"""Doubtful labels and outliers, on features whose truth is known."""

import numpy as np
import pytest

from headstart.inspection import label_issues


def clouds(count: int, classes: int = 3, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features of `count` images of each class around a centre of its own, and the labels."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), count)
    return rng.normal(size=(classes, 32))[labels] * 3 + rng.normal(size=(len(labels), 32)), labels


def test_swapped_labels_are_ranked_first():
    features, truth = clouds(60)
    labels = truth.copy()
    swapped = np.arange(0, 180, 18)
    labels[swapped] = (truth[swapped] + 1) % 3
    judged = label_issues.out_of_fold(features, labels, np.arange(180), seed=0)
    np.testing.assert_allclose(judged.sum(axis=1), 1)
    ranked, found = label_issues.ranking(judged, labels), label_issues.doubtful(judged, labels)
    assert sorted(doubt.image for doubt in ranked[:10]) == swapped.tolist()
    assert [doubt.suggested for doubt in ranked[:10]] == truth[[doubt.image for doubt in ranked[:10]]].tolist()
    assert {doubt.image for doubt in found} <= set(swapped.tolist())
    assert len(found) >= 8
    margins = [doubt.margin for doubt in found]
    assert margins == sorted(margins)
    assert -1 <= margins[0] < margins[-1] < 0


def test_a_copy_does_not_vouch_for_its_own_wrong_label():
    """Two copies of an image far from all others, both with the wrong label."""
    features, labels = clouds(40, 2)
    features = np.concatenate([features, np.repeat(features[:1] + 20 * (features[1:2] - features[0]), 12, axis=0)])
    labels = np.concatenate([labels, np.ones(12, dtype=labels.dtype)])
    apart, together = np.arange(92), np.concatenate([np.arange(80), np.full(12, 80)])
    copy = 85
    alone = label_issues.out_of_fold(features, labels, apart, seed=0)[copy, 1]
    kept = label_issues.out_of_fold(features, labels, together, seed=0)[80:, 1]
    assert alone > 0.8
    assert (kept < 0.5).all()


def test_a_rare_class_is_not_doubtful_where_features_say_nothing():
    features = np.random.default_rng(0).normal(size=(330, 32))
    labels = np.repeat([0, 1], [300, 30])
    judged = label_issues.out_of_fold(features, labels, np.arange(330), seed=0)
    found = [doubt.image for doubt in label_issues.doubtful(judged, labels)]
    of_the_rare, of_the_frequent = (np.mean(np.isin(np.flatnonzero(labels == label), found)) for label in (1, 0))
    assert of_the_rare < 2 * of_the_frequent + 0.1


def test_classes_that_are_too_small_are_not_judged():
    features, labels = clouds(30, 3)
    keep = np.flatnonzero((labels < 2) | (np.arange(90) < 64))  # four of the last class
    features, labels = features[keep], labels[keep]
    judged = label_issues.out_of_fold(features, labels, np.arange(len(labels)), seed=0)
    assert np.isnan(judged[labels == 2]).all()
    assert not np.isnan(judged[labels < 2]).any()
    assert (judged[labels < 2, 2] == 0).all()
    assert all(labels[doubt.image] < 2 for doubt in label_issues.ranking(judged, labels))


@pytest.mark.parametrize("labels", [[0], [0, 0, 0, 0, 0, 0], [0, 1], [0, 1, 2, 2]])
def test_where_nothing_can_be_said_nothing_is(labels):
    labels = np.array(labels, dtype=np.int64)
    features = np.random.default_rng(0).normal(size=(len(labels), 8))
    judged = label_issues.out_of_fold(features, labels, np.arange(len(labels)), seed=0)
    assert np.isnan(judged).all()
    assert label_issues.doubtful(judged, labels) == []
    assert label_issues.outliers(features, labels, seed=0) == []


def test_all_images_alike():
    labels = np.arange(60) % 2
    judged = label_issues.out_of_fold(np.ones((60, 8)), labels, np.arange(60), seed=0)
    assert np.isfinite(judged).all()
    assert label_issues.outliers(np.ones((60, 8)), labels, seed=0) == []


@pytest.mark.parametrize("shown", [2_000, 50])
def test_outliers(shown, monkeypatch):
    monkeypatch.setattr(label_issues, "SHOWN", shown)
    features, labels = clouds(100)
    features[[7, 130]] *= -1
    found = label_issues.outliers(features, labels, seed=0)
    assert [outlier.image for outlier in found[:2]] in ([7, 130], [130, 7])
    assert len(found) <= 3
    assert label_issues.outliers(features[:15], labels[:15], seed=0) == [], "too few to say what is usual"
