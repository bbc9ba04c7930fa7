"""Heads that are solved from the last ones on are those that are solved from nothing; answers are honest."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from headstart.errors import CancelledError, DatasetError
from headstart.features.linear_head import FOLDS
from headstart.numerics import probabilities
from headstart.studio import heads
from headstart.studio.answers import NO_LABEL
from headstart.studio.photo_features import PhotoFeatures
from headstart.studio.solving import AnswerSolver
from support.real_features import RealFeatures

EXACT = 0.005  # of probabilities


@pytest.fixture(scope="module")
def solved(real: RealFeatures) -> tuple[AnswerSolver, np.ndarray]:
    """A solver that has answered, and the labels."""
    solver = AnswerSolver(real.photos, real.groups)
    solver.answers(real.labels, real.names)
    return solver, real.labels


def from_nothing(solver: AnswerSolver, real: RealFeatures) -> AnswerSolver:
    """Another with the same folds, weight and C, but no heads."""
    other = AnswerSolver(real.photos, real.groups)
    kept = solver._kept
    other._kept = replace(kept, heads=np.zeros_like(kept.heads))
    return other


def test_after_some_labels_the_heads_are_those_that_are_solved_from_nothing(solved, real: RealFeatures):
    solver, labels = solved
    changed = labels.copy()
    changed[[3, 150, 260]] = [1, 0, 0]
    warm = solver.answers(changed, real.names)
    cold = from_nothing(solver, real).answers(changed, real.names)
    assert (warm.C, warm.weight) == (cold.C, cold.weight)
    np.testing.assert_allclose(warm.probabilities, cold.probabilities, atol=EXACT)
    back = solver.answers(labels, real.names)
    again = from_nothing(solver, real).answers(labels, real.names)
    np.testing.assert_allclose(back.probabilities, again.probabilities, atol=EXACT)


def test_after_one_label_few_steps_are_taken(solved, real: RealFeatures, monkeypatch: pytest.MonkeyPatch):
    solver, labels = solved
    steps = []
    step = heads._Problem._loss_and_gradient
    monkeypatch.setattr(heads._Problem, "_loss_and_gradient", lambda *given: (steps.append(1), step(*given))[1])
    solver.answers(labels, real.names)
    assert len(steps) == 1 + FOLDS  # nothing has changed: each head sees only that
    steps.clear()
    changed = labels.copy()
    changed[7] = (changed[7] + 1) % 3
    from_nothing(solver, real).answers(changed, real.names)
    cold = len(steps)
    steps.clear()
    solver.answers(changed, real.names)
    assert len(steps) < 0.9 * cold  # of 2,000 photos: half


def test_the_head_is_scikit_learns(real: RealFeatures):
    emphasis = real.photos.emphasis(0.6)
    rows = real.photos.components * emphasis
    model = LogisticRegression(C=0.01, tol=1e-8, max_iter=10_000).fit(rows, real.labels)
    penalty = heads.Penalty(0.01, emphasis, real.photos.components.var(axis=0, dtype=np.float64))
    nothing = np.zeros((rows.shape[1] + 1, 3))
    counts = np.ones(len(rows), np.float32)
    found = heads.solve_from(nothing, real.photos.components, real.labels, counts, penalty)
    ours = probabilities(real.photos.components @ found[:-1] + found[-1])
    np.testing.assert_allclose(ours, model.predict_proba(rows), atol=EXACT)


@pytest.mark.parametrize("missing", [0, 1])
def test_a_class_without_photos_is_not_answered(real: RealFeatures, missing: int):
    labels = np.where(real.labels == missing, NO_LABEL, real.labels)
    found = AnswerSolver(real.photos, real.groups).first(labels, real.names)
    assert found.probabilities[:, missing].max() < 1e-6
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)
    assert not (found.answer == missing).any()


def test_a_photo_is_answered_by_heads_that_have_not_seen_it_or_a_copy(real: RealFeatures):
    """Random labels cannot be learned from others: only by a head that has seen a photo."""
    rng = np.random.default_rng(0)
    half = np.concatenate([np.arange(100), np.arange(100)])  # each photo twice
    labels = rng.integers(0, 2, 100)[half % 100]
    found = AnswerSolver(real.photos.take(half), half).first(labels, ("a", "b"))
    assert found.accuracy is not None
    assert found.accuracy.value < 0.7
    seen = AnswerSolver(real.photos.take(half), np.arange(200)).first(labels, ("a", "b"))
    assert seen.accuracy is not None
    assert seen.accuracy.value > 0.8
    assert found.accuracy.high - found.accuracy.low > seen.accuracy.high - seen.accuracy.low


def test_accuracy_rises_as_planted_wrong_labels_are_corrected(real: RealFeatures):
    wrong = real.labels.copy()
    planted = np.random.default_rng(1).permutation(len(wrong))[:60]
    wrong[planted] = (wrong[planted] + 1) % 3
    solver = AnswerSolver(real.photos, real.groups)
    before, after = solver.answers(wrong, real.names), solver.answers(real.labels, real.names)
    assert before.accuracy is not None
    assert after.accuracy is not None
    assert after.accuracy.low > before.accuracy.high
    assert after.accuracy.value > 0.75
    most = np.argsort(-before.doubt)[:30]
    assert np.isin(most, planted).mean() > 0.5


def test_the_sealed_photos_are_neither_trained_on_nor_counted(real: RealFeatures):
    sealed = np.arange(len(real.labels)) % 4 == 0
    solver = AnswerSolver(real.photos, real.groups)
    found = solver.answers(real.labels, real.names, held_out=sealed)
    assert not found.counted[sealed].any()
    others = np.where(sealed, (real.labels + 1) % 3, real.labels)
    again = AnswerSolver(real.photos, real.groups).answers(others, real.names, held_out=sealed)
    np.testing.assert_array_equal(found.probabilities, again.probabilities)
    opened = solver.of_test(real.labels, sealed)
    assert opened.accuracy is not None
    assert opened.accuracy.count == sealed.sum()
    assert opened.accuracy.value > 0.7
    assert opened.to_json()["of"] != found.to_json()["of"]


def test_few_labels_are_measured_as_far_as_they_go(real: RealFeatures):
    labels = np.full(len(real.labels), NO_LABEL)
    solver = AnswerSolver(real.photos, real.groups)
    nothing = solver.answers(labels, real.names)
    assert nothing.accuracy is None
    assert not nothing.is_answered.any()
    assert "Too few labels" in nothing.to_json()["verdict"]
    with pytest.raises(DatasetError, match="at least two classes"):
        solver.of_test(real.labels, np.ones(len(labels), bool))
    labels[0] = real.labels[0]
    assert solver.answers(labels, real.names).accuracy is None  # one class is none
    labels[-1] = real.labels[-1]
    two = solver.answers(labels, real.names)
    assert two.is_answered.all()
    assert two.accuracy is None


def test_photos_without_features_have_no_answers(real: RealFeatures):
    order = np.arange(len(real.labels))
    photos = real.photos.take(np.where(order % 10 == 0, -1, order))
    found = AnswerSolver(photos, real.groups).answers(real.labels, real.names)
    np.testing.assert_array_equal(found.is_answered, order % 10 != 0)
    np.testing.assert_array_equal(found.answer == NO_LABEL, order % 10 == 0)
    assert not found.counted[::10].any()


def test_heads_go_on_by_the_names_of_classes(solved, real: RealFeatures):
    solver, labels = solved
    before = solver.answers(labels, real.names)
    order = [2, 0, 1]
    renamed = solver.answers(np.array([1, 2, 0])[labels], [real.names[place] for place in order])
    np.testing.assert_allclose(renamed.probabilities, before.probabilities[:, order], atol=EXACT)
    more = solver.answers(labels, [*real.names, "new"])
    np.testing.assert_allclose(more.probabilities[:, :3], before.probabilities, atol=EXACT)
    solver.answers(labels, real.names)


def test_what_is_cancelled_leaves_the_solver_as_it_was(solved, real: RealFeatures):
    solver, labels = solved
    before = solver.answers(labels, real.names)
    with pytest.raises(CancelledError):
        solver.answers((labels + 1) % 3, real.names, cancelled=lambda: True)
    np.testing.assert_array_equal(solver.answers(labels, real.names).probabilities, before.probabilities)


def test_the_numbers_of_the_page_are_those_of_the_answers(solved, real: RealFeatures):
    solver, labels = solved
    found = solver.answers(labels, real.names)
    content = found.to_json()
    confusion = np.array(content["confusion"])
    assert content["accuracy"]["correct"] == np.trace(confusion)
    assert confusion.sum() == content["accuracy"]["count"] == len(labels)
    assert [row["recall"]["correct"] for row in content["per_class"]] == np.diag(confusion).tolist()
    assert content["baseline"]["value"] == confusion.sum(axis=1).max() / len(labels)
    always, *_, surest = content["sure_curve"]
    assert (always["threshold"], always["answered"]) == (0.0, 1.0)
    assert always["right"] == content["accuracy"]["value"]
    assert surest["right"] >= always["right"]
    assert sum(row["count"] for row in content["calibration"]) == len(labels)
    assert f"{content['baseline']['class']}" in content["verdict"]


def test_photo_features_are_kept_whole(real: RealFeatures, tmp_path):
    file = tmp_path / "deep" / "photos.npz"
    assert real.photos.write(file)
    kept = PhotoFeatures.read(file)
    assert kept is not None
    np.testing.assert_array_equal(kept.components, real.photos.components)
    assert kept.of_last == real.photos.of_last
    file.write_bytes(file.read_bytes()[:-100])
    assert PhotoFeatures.read(file) is None
    assert PhotoFeatures.read(tmp_path / "none.npz") is None


def test_photos_that_are_added_go_on_from_what_was_known(real: RealFeatures):
    count = len(real.labels) - 40
    order = np.random.default_rng(3).permutation(len(real.labels))
    features, labels = real.features[order], real.labels[order]
    photos = PhotoFeatures.of(features[:count], real.sizes)
    solver = AnswerSolver(photos, np.arange(count))
    before = solver.answers(labels[:count], real.names)
    more = photos.joined(PhotoFeatures.by(photos.basis, features[count:]))
    moved = solver.moved(more, real.groups, np.where(real.groups < count, real.groups, -1))
    same = np.where(real.groups < count, labels, NO_LABEL)
    after = moved.answers(same, real.names)
    np.testing.assert_allclose(after.probabilities[:count], before.probabilities, atol=EXACT)
    assert (after.answer[count:] == labels[count:]).mean() > 0.7
    # the head answers features as they come
    logits = solver.head.logits(features[count:])
    shares = solver.calibration.probabilities(logits)
    np.testing.assert_allclose(shares, after.probabilities[count:], atol=EXACT)


def test_components_say_nearly_all(real: RealFeatures):
    """Inner products of photos, and so heads, are those of all features."""
    scaled = real.features - real.features.mean(axis=0)
    last = scaled[:, : real.sizes[0]]
    ours = real.photos.components[:, : real.photos.of_last]
    products, kept = last @ last.T, ours @ ours.T
    assert np.corrcoef(products.ravel(), kept.ravel())[0, 1] > 0.9999
    np.testing.assert_allclose(np.linalg.norm(real.photos.directions, axis=1), 1, atol=1e-5)
