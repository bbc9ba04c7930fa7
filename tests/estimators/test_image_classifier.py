"""headstart's estimators among those of scikit-learn: photos by path and as arrays, pipelines, searches, its checks."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Tags
from sklearn.utils.estimator_checks import parametrize_with_checks

import headstart as hs
from headstart.data.images import read_image
from support.onnx_files import residual_network

SIZE = 32  # pixels: the smallest that the default base takes
HEAD_ALONE = {"fine_tune": "never", "image_size": SIZE, "views": "original"}


@pytest.fixture(scope="module")
def some(cells: dict[str, list[Path]]) -> tuple[list[str], list[str]]:
    """Paths and classes of 80 real images, 40 of each class."""
    paths = [str(path) for name in ("defective", "functional") for path in cells[name][:40]]
    return paths, ["defective"] * 40 + ["functional"] * 40


@pytest.fixture(scope="module")
def fitted(some) -> hs.ImageClassifier:
    return hs.ImageClassifier(**HEAD_ALONE).fit(*some)


def arrays(paths: list[str]) -> np.ndarray:
    return np.stack([read_image(path) for path in paths])


def test_it_learns_and_names_classes_as_y_does(fitted, some):
    paths, labels = some
    assert_array_equal(fitted.classes_, ["defective", "functional"])
    found = fitted.predict_proba(paths)
    assert_allclose(found.sum(axis=1), 1)
    assert_array_equal(fitted.predict(paths), fitted.classes_[found.argmax(axis=1)])
    assert fitted.score(paths, labels) > 0.75


def test_it_answers_as_its_classifier_does(fitted, some):
    """What kept features say is what the network says of the same files."""
    paths = some[0][::8]
    of_network = [each.probabilities["functional"] for each in fitted.classifier_.predict(paths)]
    assert_allclose(fitted.predict_proba(paths)[:, 1], of_network, atol=1e-4)


def test_arrays_are_the_photos_that_they_show(fitted, some):
    paths = some[0][::8]
    assert_array_equal(fitted.predict_proba(arrays(paths)), fitted.predict_proba(list(arrays(paths))))
    assert_allclose(fitted.predict_proba(arrays(paths)), fitted.predict_proba(paths), atol=1e-6)
    content = [Path(path).read_bytes() for path in paths]
    assert_array_equal(fitted.predict_proba(content), fitted.predict_proba(paths))


def test_classes_may_be_numbers_in_an_order_of_their_own(some):
    """As text "10" comes before "9"."""
    paths, labels = some
    numbers = np.where(np.array(labels) == "defective", 9, 10)
    found = hs.ImageClassifier(**HEAD_ALONE).fit(paths, numbers)
    assert_array_equal(found.classes_, [9, 10])
    assert found.score(paths, numbers) > 0.75


def test_it_goes_through_clone_pickle_and_set_params(fitted, some):
    again = clone(fitted).set_params(random_state=1)
    assert again.get_params() == fitted.get_params() | {"random_state": 1}
    with pytest.raises(NotFittedError):
        again.predict(some[0])
    copied = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(fitted))))
    assert_array_equal(copied.predict_proba(some[0][:9]), fitted.predict_proba(some[0][:9]))


def test_a_search_computes_each_photo_once(some, monkeypatch):
    """All folds of all settings find the features of the first fit."""
    import headstart.features.extractor as extractor

    paths, labels = some
    hs.ImageClassifier(**HEAD_ALONE).fit(paths, labels)
    monkeypatch.setattr(extractor, "compute_shard", None)
    search = GridSearchCV(hs.ImageClassifier(**HEAD_ALONE), {"balanced": [False, True]}, cv=3, error_score="raise")
    search.fit(np.array(paths), labels)
    assert search.best_score_ > 0.55
    assert len(cross_val_score(search.best_estimator_, paths, labels, cv=2)) == 2


def test_the_network_of_a_file_is_a_base_as_any_other(some, tmp_path):
    paths, file = some[0][::8], residual_network(tmp_path / "residual.onnx")
    fitted = hs.ImageClassifier(backbone=str(file), **HEAD_ALONE).fit(*some)
    of_network = [each.probabilities["functional"] for each in fitted.classifier_.predict(paths)]
    assert_allclose(fitted.predict_proba(paths)[:, 1], of_network, atol=1e-3)
    features = hs.ImageFeatures(str(file), image_size=SIZE).fit(paths)
    assert features.transform(paths).shape == (len(paths), len(features.get_feature_names_out()))
    packed = pickle.dumps(fitted)
    file.unlink()
    elsewhere = pickle.loads(packed)
    assert_allclose(elsewhere.predict_proba(paths)[:, 1], of_network, atol=1e-4)


def test_features_stand_in_a_pipeline(some):
    paths, labels = some
    features = hs.ImageFeatures(image_size=SIZE)
    table = features.fit_transform(paths)
    assert table.dtype == np.float32
    assert table.shape == (80, len(features.get_feature_names_out())) == (80, features.n_features_out_)
    last = hs.ImageFeatures(image_size=SIZE, depths="last").transform(paths)
    assert_allclose(last, table[:, : last.shape[1]], atol=1e-3)  # they are kept in half precision
    assert features.get_feature_names_out()[[0, last.shape[1], -1]].tolist() == [
        "last0", "depth1_mean0", "depth16_deviation319",
    ]  # fmt: skip
    chain = make_pipeline(features, StandardScaler(), LogisticRegression(C=1e-3, max_iter=200))
    assert cross_val_score(chain, paths, labels, cv=3).mean() > 0.55
    named = features.set_output(transform="pandas").transform(paths[:2])
    assert list(named.columns) == list(features.get_feature_names_out())


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((4, 9)), r"X is an array of shape \(4, 9\); expected photos"),
        ("one.jpg", "X is one photo; expected several"),
        ([], "X holds no photos"),
        (7, "X is int; expected photos"),
        (csr_matrix(np.eye(4)), "X is csr_matrix; expected photos"),
        (["missing.jpg"] * 4, "'.*missing.jpg' cannot be opened.*So with 3 more"),
        ([b"text"] * 4, r"'X\[0\]' "),
        (np.full((4, 8, 8, 3), 300), r"X\[0\]: .*values outside 0..255"),
        (np.full((4, 8, 8, 3), np.nan), r"X\[0\]: .*values outside 0..255"),
    ],
)  # fmt: skip
def test_what_is_no_photo_is_said(fitted, X, message):
    for ask in (fitted.predict, hs.ImageFeatures(image_size=SIZE).fit_transform):
        with pytest.raises(hs.HeadstartError, match=message):
            ask(X)


def test_y_that_does_not_fit_is_said(some):
    paths, labels = some
    classifier = hs.ImageClassifier(**HEAD_ALONE)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        classifier.fit(paths, labels[1:])
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        classifier.fit(paths, np.linspace(0, 1, 80))
    with pytest.raises(hs.DatasetError, match="holds one class, 'defective'"):
        classifier.fit(paths[:9], labels[:9])
    with pytest.raises(hs.ModelError, match="There is no fine_tune 'perhaps'"):
        hs.ImageClassifier(fine_tune="perhaps").fit(paths, labels)


# scikit-learn's own checks give tables of numbers: here each of their rows is a picture of a single line


def pictures(X: object) -> object:
    """Numbers (n, m) -> grey images (n, 1, m), modulo 256. What is no table of numbers stays as it is."""
    table = np.asarray(X)
    if table.ndim != 2 or table.dtype.kind not in "fiu" or 0 in table.shape or not np.isfinite(table).all():
        return X
    return np.round(12 * table).astype(np.int64).astype(np.uint8)[:, None, :]


class OfTables(hs.ImageClassifier):
    """An ImageClassifier that takes what the checks give."""

    def __init__(self, fine_tune: str = "never", image_size: int = SIZE, views: str = "original"):
        super().__init__(fine_tune=fine_tune, image_size=image_size, views=views)

    def fit(self, X, y):
        return super().fit(pictures(X), y)

    def predict_proba(self, X):
        return super().predict_proba(pictures(X))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.one_d_array = True, False
        tags.no_validation = True  # X is no table: no sparse matrices, no features that have names or a number
        tags.classifier_tags.poor_score = True  # blobs, as pictures of a line, look all alike
        return tags


MESSAGES = "what is wrong is a HeadstartError, which is no ValueError; its message says it"
NOT_FOR_PHOTOS = {
    "check_estimator_sparse_tag": MESSAGES,
    "check_estimator_sparse_array": MESSAGES,
    "check_estimator_sparse_matrix": MESSAGES,
    "check_classifiers_one_label": MESSAGES,
    "check_fit2d_1sample": MESSAGES,
    "check_methods_subset_invariance": "an engine's sums depend on the batch, by 1e-6, where 1e-7 is asked for",
}


@pytest.mark.training
@parametrize_with_checks([OfTables()], expected_failed_checks=lambda _: NOT_FOR_PHOTOS)
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_several_labels_a_photo(some):
    """y as scikit-learn has it: 0 and 1, a column a label."""
    paths, names = some
    is_defective = np.array([name == "defective" for name in names])
    y = np.stack([is_defective, ~is_defective, np.arange(len(paths)) % 3 == 0], axis=1).astype(int)
    y[::7] = 0
    fitted = hs.ImageClassifier(**HEAD_ALONE).fit(paths, y)
    probabilities, answers = fitted.predict_proba(paths), fitted.predict(paths)
    assert_array_equal(fitted.classes_, [0, 1, 2])
    assert answers.shape == probabilities.shape == y.shape
    assert set(np.unique(answers)) <= {0, 1}
    thresholds = fitted.classifier_.calibration.thresholds  # pyright: ignore[reportAttributeAccessIssue]
    assert_array_equal(answers, probabilities >= thresholds)
    assert (answers[:, :2] == y[:, :2]).mean() > 0.7
    with pytest.raises(hs.DatasetError, match="Column 1 of y is the same for all photos"):
        hs.ImageClassifier(**HEAD_ALONE).fit(paths, np.stack([y[:, 0], np.ones(len(y)), y[:, 2]], axis=1).astype(int))
