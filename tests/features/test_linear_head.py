"""The solved head: scikit-learn's own, chosen inside the training set."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold

from headstart.features import heads_in_memory, linear_head
from headstart.features.linear_head import C_VALUES, Scale, choose_C, folds, solve


def made(classes: int = 2, count: int = 240, width: int = 24, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Two views of features that overlap, so that there is something to choose."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    centres = rng.normal(size=(classes, width))
    views = [(0.6 * centres[labels] + rng.normal(size=(count, width)) + 3).astype(np.float32) for _ in range(2)]
    return views, labels


@pytest.mark.parametrize("classes", [2, 5])
def test_cross_validation_chooses_what_scikit_learn_would(classes):
    views, labels = made(classes)
    scale = Scale.of(views)
    scaled = [scale(view) for view in views]
    count = len(labels)
    parts = [(np.concatenate([train, train + count]), held_out) for train, held_out in folds(labels, 0)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = LogisticRegressionCV(Cs=list(C_VALUES), cv=parts, scoring="neg_log_loss", max_iter=2000, tol=1e-6).fit(
            np.concatenate(scaled), np.tile(labels, 2)
        )
    assert choose_C(scaled, labels, np.ones(classes), seed=0) == pytest.approx(float(np.ravel(theirs.C_)[0]))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("classes", "rows", "width", "apart"), [(4, 80, 60, 0.3), (2, 100, 40, 0.3), (3, 120, 60, 0.2)]
)
def test_small_problems_whose_strengths_are_nearly_as_good_as_each_other(classes, rows, width, apart, seed):
    """Each C solved anew by scikit-learn's Newton method, far more exactly than is needed."""
    rng = np.random.default_rng(seed)
    labels, centres = np.arange(rows) % classes, rng.normal(size=(classes, width))
    features = (rng.normal(size=(rows, width)) + apart * centres[labels]).astype(np.float32)
    features = Scale.of([features])(features)
    losses = []
    for strength in C_VALUES:
        of_fold = []
        for train, held_out in folds(labels, 0):
            model = LogisticRegression(C=strength, tol=1e-6, solver="newton-cholesky")
            model.fit(features[train].astype(np.float64), labels[train])
            right = model.predict_proba(features[held_out])[np.arange(len(held_out)), labels[held_out]]
            of_fold.append(-np.log(right).mean())
        losses.append(np.mean(of_fold))
    expected = C_VALUES[int(np.argmin(losses))]
    assert choose_C([features], labels, np.ones(classes), seed=0) == pytest.approx(expected)


@pytest.mark.parametrize("classes", [2, 5])
def test_the_solution_is_scikit_learns(classes):
    views, labels = made(classes)
    solved = solve(views, labels, classes, seed=0)
    both = np.concatenate(views)
    scale = Scale.of(views)
    model = LogisticRegression(C=solved.C, tol=1e-7, max_iter=5000).fit(scale(both), np.tile(labels, 2))
    logits = solved.logits(views[0])
    assert logits.shape == (len(labels), 1 if classes == 2 else classes)
    expected = model.decision_function(scale(views[0])).reshape(len(labels), -1)
    np.testing.assert_allclose(logits, expected, rtol=0.01, atol=0.02)


def test_the_order_of_the_images_hardly_matters():
    views, labels = made(3)
    order = np.random.default_rng(5).permutation(len(labels))
    one = solve(views, labels, 3, seed=4, C=0.01)
    other = solve([view[order] for view in views], labels[order], 3, seed=4, C=0.01)
    np.testing.assert_allclose(one.kernel, other.kernel, atol=1e-3 * np.abs(one.kernel).max())
    np.testing.assert_allclose(one.bias, other.bias, atol=1e-3)


@pytest.mark.parametrize("classes", [2, 4])
def test_pieces_find_the_same_head(classes, monkeypatch):
    views, labels = made(classes, count=1200)
    exact = solve(views, labels, classes, seed=0)
    monkeypatch.setattr(linear_head, "IN_MEMORY", 2000)
    monkeypatch.setattr("headstart.features.rows.PIECE", 500)
    monkeypatch.setattr(linear_head, "choose_C", lambda *args, **options: exact.C)
    stepped = solve(views, labels, classes, seed=0)
    one, other = exact.logits(views[0]), stepped.logits(views[0])
    if classes > 2:  # a number added to every logit changes nothing
        one, other = one - one.mean(axis=1, keepdims=True), other - other.mean(axis=1, keepdims=True)
    assert np.abs(one - other).max() < 0.01 * np.abs(one).max()


def test_few_images_and_dead_features():
    views, labels = made(3, count=3)
    views = [np.concatenate([view, np.zeros((3, 5), np.float32)], axis=1) for view in views]
    solved = solve(views, labels, 3, seed=0)
    assert solved.C == linear_head.DEFAULT_C
    assert np.isfinite(solved.kernel).all()
    assert (solved.logits(views[0]).argmax(axis=1) == labels).all()


def test_views_of_an_image_are_never_on_both_sides():
    labels = np.arange(50) % 5
    for train, held_out in folds(labels, 0):
        assert not set(train) & set(held_out)
        assert set(labels[held_out]) == set(range(5))
    assert folds(np.array([0, 1, 1]), 0) == []


@given(st.lists(st.integers(0, 4), max_size=60), st.integers(0, 1_000))
def test_folds_are_scikit_learns(drawn, seed):
    labels = np.random.default_rng(seed).permutation([*drawn, *list(range(5)) * 5])
    theirs = StratifiedKFold(5, shuffle=True, random_state=seed).split(labels, labels)
    for ours, expected in zip(folds(labels, seed), theirs, strict=True):
        for found, indices in zip(ours, expected, strict=True):
            np.testing.assert_array_equal(found, indices)


def test_a_class_of_few_images_does_not_end_the_validation_of_the_others():
    labels = np.array([0] * 20 + [1] * 30 + [2])
    parts = folds(labels, 0)
    assert len(parts) == 5
    assert all(len(labels) - 1 in train for train, _ in parts)
    assert sorted(np.concatenate([held_out for _, held_out in parts])) == list(range(50))
    views, _ = made(2, count=51)
    assert np.isfinite(solve(views, labels, 3, seed=0).logits(views[0])).all()


def test_copies_of_a_photo_are_on_one_side_of_each_fold_and_choose_no_strength():
    """Of 60 photos, each there in five copies that hardly differ, labels cannot be told: the least strength is best."""
    rng = np.random.default_rng(0)
    photos, labels = np.repeat(np.arange(60), 5), np.repeat(np.arange(60) % 2, 5)
    features = (np.repeat(rng.normal(size=(60, 80)), 5, axis=0) + 0.05 * rng.normal(size=(300, 80))).astype(np.float32)
    parts = folds(labels, 0, photos)
    assert sorted(np.concatenate([held_out for _, held_out in parts])) == list(range(300))
    for train, held_out in parts:
        assert not set(photos[train]) & set(photos[held_out])
        assert len(train) + len(held_out) == 300
    assert C_VALUES[2] < solve([features], labels, 2, seed=0).C
    assert C_VALUES[1] >= solve([features], labels, 2, seed=0, photos=photos).C


def test_what_does_not_converge_is_no_warning(monkeypatch):
    """As heads are solved in threads, and filters are those of all threads, these are as they were afterwards."""
    monkeypatch.setattr(heads_in_memory, "MAX_STEPS", 1)
    views, labels = made(3, count=90)
    before = warnings.filters[:]
    assert np.isfinite(solve(views, labels, 3, seed=0).kernel).all()
    assert warnings.filters == before


@pytest.mark.parametrize("in_memory", [True, False])
def test_class_weights_are_repetitions(in_memory, monkeypatch):
    """An image that counts three times is an image that is there three times."""
    views, labels = made(2, count=90)
    weights = np.array([1.0, 3.0])
    thrice = np.concatenate([np.arange(90), *[np.flatnonzero(labels == 1)] * 2])
    # the mean and the deviation of the features are those of the images as they are, so the strength differs a little
    repeated = solve([view[thrice] for view in views], labels[thrice], 2, seed=0, C=1e-2)
    if not in_memory:
        monkeypatch.setattr(linear_head, "IN_MEMORY", 100)
    weighted = solve(views, labels, 2, seed=0, C=1e-2, class_weights=weights)
    np.testing.assert_allclose(weighted.logits(views[0]), repeated.logits(views[0]), atol=0.15)
    plain = solve(views, labels, 2, seed=0, C=1e-2)
    assert weighted.logits(views[0]).mean() > plain.logits(views[0]).mean() + 0.5


@pytest.mark.parametrize("classes", [2, 3])
def test_a_rare_class_in_a_large_collection(classes, monkeypatch):
    """It is among the images that the strength is chosen by, and that the first solution is found for."""
    views, labels = made(classes, count=1200)
    kept = np.concatenate([np.flatnonzero(labels != 0), np.flatnonzero(labels == 0)[:6]])
    monkeypatch.setattr(linear_head, "IN_MEMORY", 200)
    solved = solve([view[kept] for view in views], labels[kept], classes, seed=0)
    assert np.isfinite(solved.kernel).all()
    for seed in range(20):
        some = linear_head.some_images(labels[kept], 50, seed)
        assert np.bincount(labels[kept][some]).min() >= linear_head.FOLDS
        assert len(set(some)) == len(some) <= 50 + classes * linear_head.FOLDS


def test_many_classes_get_the_same_head_in_pieces(monkeypatch):
    """C is chosen on images of half as many classes as are too many, and the head of all of them is the exact one."""
    views, labels = made(40, count=400)
    monkeypatch.setattr(linear_head, "MANY_CLASSES", 20)
    chosen = []
    choose_C = linear_head.choose_C

    def remembered(views, labels, counts, **options):
        chosen.append(np.unique(labels))
        return choose_C(views, labels, counts, **options)

    monkeypatch.setattr(linear_head, "choose_C", remembered)
    found = solve(views, labels, 40, seed=0)
    assert [len(classes) for classes in chosen] == [10]
    monkeypatch.undo()
    exact = solve(views, labels, 40, seed=0, C=found.C)
    one, other = (each.logits(views[0]) for each in (found, exact))
    one, other = one - one.mean(axis=1, keepdims=True), other - other.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(one, other, atol=0.01 * np.abs(other).max())
