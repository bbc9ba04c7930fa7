"""Groups that names suggest are named where the features agree, and only there."""

import re

import numpy as np
import pytest
from PIL import ImageEnhance

import headstart as hs
from headstart.inspection import suspected_groups as module
from headstart.inspection.findings import GROUPING
from headstart.inspection.suspected_groups import EXPRESSIONS, PARENT_FOLDER, find_suspected_groups, name_of_group
from support.planted import tiles
from support.sizes import SMALL

FORMS = {  # how the photos of a group are named -> what names the group
    "{label}/p{group:02}_{view}.jpg": "p03",
    "{label}/p{group:02}-left-{view}.jpg": "p03",
    "{label}/IMG_202001{group:02}_1234{view}.jpg": "IMG_20200103",
    "{label}/plot{group:02}b{view}.jpg": "plot03b",
    "{label}/patient {group} ({view}).jpg": "patient 3",
    "{label}/{group}{letter}.jpg": "3",
    "{label}/patient{group}/{view}.jpg": "ill/patient3",
    "train/{label}/p{group:02}_{view}.jpg": "p03",
}


def photos(form: str, *, groups: int = 20, views: int = 4, likeness: float = 1.0, seed: int = 0):
    """Names, labels and features; those of a group are as much alike as `likeness` says, 0 to 1."""
    rng = np.random.default_rng(seed)
    rows = [(group, view) for group in range(groups) for view in range(views)]
    labels = np.array([group % 2 for group, _ in rows])
    names = [
        form.format(
            label=("ill", "well")[group % 2] if group != 3 else "ill", group=group, view=view, letter="abcdefgh"[view]
        )
        for group, view in rows
    ]
    labels[[group == 3 for group, _ in rows]] = 0
    things = rng.normal(size=(groups, 30))
    features = np.array([likeness * things[group] for group, _ in rows]) + rng.normal(size=(len(rows), 30))
    return names, labels, features.astype(np.float32)


def find(names, labels, features, copies=None):
    copies = np.arange(len(names)) if copies is None else copies
    return find_suspected_groups(names, labels, ("ill", "well"), features, copies, seed=0)


@pytest.mark.parametrize("form", FORMS)
def test_groups_are_found_and_the_remedy_makes_them(form):
    names, labels, features = photos(form)
    found = find(names, labels, features)
    assert found is not None
    assert (found.groups, found.photos) == (20, 80)
    assert found.share > 0.8 > 0.2 > found.chance
    assert FORMS[form] in {name_of_group(found.pattern, name, "ill") for name in names}
    remedy = PARENT_FOLDER if found.pattern == PARENT_FOLDER else f"'{found.pattern}'"
    assert f"--group-by {remedy}" in found.sentence
    for name in names:  # whether the expression is asked of the relative or of the whole path
        if found.pattern != PARENT_FOLDER:
            for path in (name, f"/home/a_b-c/photos 2/{name}"):
                match = re.search(found.pattern, path)
                assert match is not None
                assert match[0] == name_of_group(found.pattern, name, "ill")


@pytest.mark.parametrize("form", FORMS)
def test_names_that_mean_nothing(form):
    """Where photos of a group look as different as others do: at most one alarm in twenty collections."""
    alarms = [find(*photos(form, likeness=0.0, seed=seed)) for seed in range(20)]
    assert sum(alarm is not None for alarm in alarms) <= 1


@pytest.mark.parametrize(
    "form", ["{label}/{label}{view}{group:02}.jpg", "{label}/{group:02}{view}.jpg", "{label}/IMG_{group:02}{view}.jpg"]
)
def test_names_that_make_no_groups(form):
    assert find(*photos(form)) is None


def test_copies_are_no_sign_of_groups():
    names, labels, features = photos("{label}/p{group:02}_{view}.jpg", likeness=20.0)
    assert find(names, labels, features, np.repeat(np.arange(20), 4)) is None


def test_of_many_photos_some_are_looked_at(monkeypatch):
    monkeypatch.setattr(module, "MAX_PHOTOS", 200)
    many = photos("{label}/p{group:03}_{view}.jpg", groups=300, views=3)
    found = find(*many)
    assert found is not None
    assert (found.groups, found.photos) == (300, 900)
    assert find(*photos("{label}/p{group:03}_{view}.jpg", groups=300, views=3, likeness=0.0)) is None


def test_nothing_at_all():
    assert find([], np.zeros(0, np.int64), np.zeros((0, 3), np.float32)) is None


def test_no_two_expressions_are_the_same():
    assert len(set(EXPRESSIONS)) == len(EXPRESSIONS)


def test_an_inspection_names_the_pattern(tmp_path):
    """Six views (place, light) of 20 photos; the label belongs to the photo and is arbitrary."""
    rng = np.random.default_rng(0)
    for number, image in enumerate(tiles()[:20]):
        for view in range(6):
            x, y = rng.integers(0, 60, 2)
            path = tmp_path / ("ill", "well")[number % 2] / f"p{number:02}_{view}.png"
            path.parent.mkdir(exist_ok=True)
            part = image.crop((x, y, x + 100, y + 100)).resize((64, 64))
            ImageEnhance.Brightness(part).enhance(rng.uniform(0.7, 1.3)).save(path)
    inspection = hs.inspect(tmp_path, image_size=SMALL, listener=hs.Quiet())
    (finding,) = inspection.of_kind(GROUPING)
    assert "the names of 120 photos make 20 groups (p00, p02, p04, ...; `--group-by '" in finding.detail
    assert finding.detail in str(inspection)
    assert "1 possible grouping" in inspection.verdict
