"""Doubtful labels and outliers, on features whose truth is known."""

import numpy as np
import pytest

from headstart.inspection import label_issues, outliers


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
    out_of_fold = label_issues.out_of_fold_probabilities(features, labels, np.arange(180), seed=0)
    np.testing.assert_allclose(out_of_fold.sum(axis=1), 1)
    ranked = label_issues.rank_by_margin(out_of_fold, labels)
    found = label_issues.find_label_issues(out_of_fold, labels)
    assert sorted(issue.image for issue in ranked[:10]) == swapped.tolist()
    assert [issue.suggested for issue in ranked[:10]] == truth[[issue.image for issue in ranked[:10]]].tolist()
    assert {issue.image for issue in found} <= set(swapped.tolist())
    assert len(found) >= 8
    margins = [issue.margin for issue in found]
    assert margins == sorted(margins)
    assert -1 <= margins[0] < margins[-1] < 0


@pytest.mark.parametrize(("share", "gain"), [(0.2, 0), (0.4, 0.01)])
def test_many_wrong_labels_are_still_ranked_first(share, gain):
    """By heads with a stronger penalty better than by those that suit a few wrong labels."""
    rng = np.random.default_rng(1)
    truth = np.repeat(np.arange(4), 60)
    features = 0.6 * rng.normal(size=(4, 200))[truth] + rng.normal(size=(240, 200))
    labels, wrong = truth.copy(), rng.permutation(240)[: round(share * 240)]
    labels[wrong] = (truth[wrong] + rng.integers(1, 4, len(wrong))) % 4

    def precision(shares: np.ndarray) -> float:
        ranked = label_issues.rank_by_margin(shares, labels)
        return np.isin([issue.image for issue in ranked[: len(wrong)]], wrong).sum() / len(wrong)

    usual = label_issues.out_of_fold_probabilities(features, labels, np.arange(240), seed=0)
    found = label_issues.probabilities_despite_wrong_labels(features, labels, np.arange(240), seed=0)
    listed = label_issues.find_label_issues(found, labels)
    assert precision(found) >= max(precision(usual) + gain, 0.9)
    assert 0.8 * len(wrong) < len(listed) < 1.2 * len(wrong)


def test_few_wrong_labels_change_nothing():
    features, labels = clouds(60)
    labels[:3] = (labels[:3] + 1) % 3
    usual = label_issues.out_of_fold_probabilities(features, labels, np.arange(180), seed=0)
    found = label_issues.probabilities_despite_wrong_labels(features, labels, np.arange(180), seed=0)
    np.testing.assert_array_equal(found, usual)


def test_a_copy_does_not_vouch_for_its_own_wrong_label():
    """Two copies of an image far from all others, both with the wrong label."""
    features, labels = clouds(40, 2)
    features = np.concatenate([features, np.repeat(features[:1] + 20 * (features[1:2] - features[0]), 12, axis=0)])
    labels = np.concatenate([labels, np.ones(12, dtype=labels.dtype)])
    apart, together = np.arange(92), np.concatenate([np.arange(80), np.full(12, 80)])
    copy = 85
    alone = label_issues.out_of_fold_probabilities(features, labels, apart, seed=0)[copy, 1]
    kept = label_issues.out_of_fold_probabilities(features, labels, together, seed=0)[80:, 1]
    assert alone > 0.8
    assert (kept < 0.5).all()


def test_a_rare_class_is_not_doubtful_where_features_say_nothing():
    features = np.random.default_rng(0).normal(size=(330, 32))
    labels = np.repeat([0, 1], [300, 30])
    out_of_fold = label_issues.out_of_fold_probabilities(features, labels, np.arange(330), seed=0)
    found = [issue.image for issue in label_issues.find_label_issues(out_of_fold, labels)]
    of_the_rare, of_the_frequent = (np.mean(np.isin(np.flatnonzero(labels == label), found)) for label in (1, 0))
    assert of_the_rare < 2 * of_the_frequent + 0.1


def test_classes_that_are_too_small_have_no_probabilities():
    features, labels = clouds(30, 3)
    keep = np.flatnonzero((labels < 2) | (np.arange(90) < 64))  # four of the last class
    features, labels = features[keep], labels[keep]
    out_of_fold = label_issues.out_of_fold_probabilities(features, labels, np.arange(len(labels)), seed=0)
    assert np.isnan(out_of_fold[labels == 2]).all()
    assert not np.isnan(out_of_fold[labels < 2]).any()
    assert (out_of_fold[labels < 2, 2] == 0).all()
    assert all(labels[issue.image] < 2 for issue in label_issues.rank_by_margin(out_of_fold, labels))


@pytest.mark.parametrize("labels", [[0], [0, 0, 0, 0, 0, 0], [0, 1], [0, 1, 2, 2]])
def test_where_nothing_can_be_said_nothing_is(labels):
    labels = np.array(labels, dtype=np.int64)
    features = np.random.default_rng(0).normal(size=(len(labels), 8))
    out_of_fold = label_issues.out_of_fold_probabilities(features, labels, np.arange(len(labels)), seed=0)
    assert np.isnan(out_of_fold).all()
    assert label_issues.find_label_issues(out_of_fold, labels) == []
    assert outliers.find_outliers(features, labels, seed=0) == []


def test_all_images_alike():
    labels = np.arange(60) % 2
    out_of_fold = label_issues.out_of_fold_probabilities(np.ones((60, 8)), labels, np.arange(60), seed=0)
    assert np.isfinite(out_of_fold).all()
    assert outliers.find_outliers(np.ones((60, 8)), labels, seed=0) == []


@pytest.mark.parametrize("references", [2_000, 50])
def test_outliers(references, monkeypatch):
    monkeypatch.setattr(outliers, "REFERENCES", references)
    features, labels = clouds(100)
    features[[7, 130]] *= -1
    found = outliers.find_outliers(features, labels, seed=0)
    assert [outlier.image for outlier in found[:2]] in ([7, 130], [130, 7])
    assert len(found) <= 3
    assert outliers.find_outliers(features[:15], labels[:15], seed=0) == [], "too few to say what is usual"
