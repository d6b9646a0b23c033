import dataclasses

import keras
import numpy as np
import pytest

from svhn.checkpoints import Checkpoints, load_model
from svhn.detection.outline import Outline
from svhn.errors import UserError
from svhn.evaluation.agreement_config import AgreementConfig
from svhn.evaluation.fit_agreement import fit_agreement, known_number
from svhn.labels import HEAD_NAMES
from svhn.models import build_model
from svhn.reading.agreement import AgreementRule
from svhn.reading.distribution import as_label
from svhn.reading.fingerprint import fingerprint
from svhn.reading.loading import LoadedFinder
from svhn.reading.whole_photo import SeenNumber
from svhn.released_weights import write_released
from tests.reading.finders import found_number
from tests.reading.numbers import says
from tests.small_conversion import write_conversion


class MiddleFinder:
    """Finds "42" in the middle of every photo, where the photos' numbers are, and a 7 elsewhere."""

    outline = Outline()

    def find(self, photo):
        height, width = photo.shape[:2]
        part = width / 4  # the labels' digits have a width of 1/4 of that
        return [
            found_number("42", (part, 5, 2 * part, height - 10), 0.92),
            found_number("7", (0, 0, 4, 4), 0.3),
        ]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    numbers = {"val": ["42"] * 60 + ["13"] * 12, "test": ["1"]}
    return write_conversion(tmp_path_factory.mktemp("data"), numbers)


@pytest.fixture(scope="module")
def reader_file(tmp_path_factory):
    """Released weights of a reader that is sure of nothing; they also stand in for a detector's."""
    keras.utils.set_random_seed(1)
    folder = tmp_path_factory.mktemp("run")
    model = build_model("plain")
    for name in HEAD_NAMES:
        head = model.get_layer(name)
        head.set_weights([0.05 * weights for weights in head.get_weights()])
    Checkpoints(folder, model).save({"step": 9, "config": {"model": "plain"}})
    path = folder / "reader.npz"
    write_released(path, load_model(folder), {"recipe": "a test"})
    return path


@pytest.fixture
def finder(monkeypatch):
    def load_finder(path):
        return LoadedFinder(MiddleFinder(), AgreementRule(), load_model(path), "")

    monkeypatch.setattr("svhn.reading.loading.load_finder", load_finder)


def test_the_rule_is_fitted_and_kept_beside_weights_that_stay(
    tmp_path, data_dir, reader_file, finder, capsys
):
    detector = tmp_path / "detector.npz"
    detector.write_bytes(reader_file.read_bytes())
    config = AgreementConfig(str(data_dir), str(reader_file), str(detector), without=0)
    assert fit_agreement(config) == 0
    shown = capsys.readouterr().out
    assert "72 photos, 144 numbers found, 72 of them where one is; 0 found in 0" in shown
    rule = AgreementRule.from_json(load_model(detector).state["agreement"])
    assert rule.odds_weights is not None
    assert rule.calibration.photos == 144
    # Only the detector's word can be right.
    rows = {row[:20].strip(): row[20:].split() for row in shown.splitlines()[4:9]}
    assert rows["fitted"][:2] == rows["the detector alone"][:2] == ["60", "60"]
    assert int(rows["the reader alone"][0]) < 60
    assert load_model(detector).state["recipe"] == "a test"
    with np.load(reader_file) as before, np.load(detector) as after:
        assert before.files == after.files
        for name in before.files:
            if name != "about":
                np.testing.assert_array_equal(before[name], after[name], strict=True)

    other = tmp_path / "other.npz"
    before = detector.read_bytes()
    fit_agreement(dataclasses.replace(config, output=str(other)))
    assert detector.read_bytes() == before == other.read_bytes()  # the same rule again

    # This finder sees the same where there is no number: then none is to be shown.
    fit_agreement(dataclasses.replace(config, output=str(other), without=4))
    assert "8 found in 4 pictures without" in capsys.readouterr().out
    careful = AgreementRule.from_json(load_model(other).state["agreement"])
    assert careful.least_confidence > rule.least_confidence


def twin_of(reader_file, folder):
    """The file of a network with other weights, and the network."""
    loaded = load_model(reader_file)
    loaded.model.set_weights([2 * weight for weight in loaded.model.get_weights()])
    path = folder / "twin.npz"
    write_released(path, loaded, {"recipe": "with val"})
    return path, loaded


def test_the_rule_can_be_kept_for_a_reader_that_has_seen_the_photos(
    tmp_path, data_dir, reader_file, finder
):
    detector = tmp_path / "detector.npz"
    detector.write_bytes(reader_file.read_bytes())
    twin, loaded = twin_of(reader_file, tmp_path)
    config = AgreementConfig(str(data_dir), str(reader_file), str(detector), without=0)
    rules = []
    for for_reader in ("", str(twin)):
        fit_agreement(dataclasses.replace(config, for_reader=for_reader))
        rules.append(AgreementRule.from_json(load_model(detector).state["agreement"]))
    assert rules[0].reader == fingerprint(load_model(reader_file).model)
    assert rules[1] == dataclasses.replace(rules[0], reader=fingerprint(loaded.model))
    assert rules[1] != rules[0]


def test_the_rule_can_be_kept_for_a_detector_that_has_seen_the_photos(
    tmp_path, data_dir, reader_file, finder
):
    detector = tmp_path / "detector.npz"
    detector.write_bytes(reader_file.read_bytes())
    twin, loaded = twin_of(reader_file, tmp_path)
    before = detector.read_bytes()
    config = AgreementConfig(str(data_dir), str(reader_file), str(detector), without=0)
    fit_agreement(dataclasses.replace(config, for_detector=str(twin)))
    assert detector.read_bytes() == before
    fit_agreement(config)
    kept, expected = load_model(twin), load_model(detector)
    assert kept.state["agreement"] == expected.state["agreement"]
    assert kept.state["recipe"] == "with val"
    for ours, theirs in zip(kept.model.weights, loaded.model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)

    config = dataclasses.replace(config, for_detector=str(tmp_path))
    with pytest.raises(UserError, match=r"--for_detector=.*svhn\.release"):
        fit_agreement(config)


def test_networks_that_have_learnt_from_the_photos_are_named(
    tmp_path, data_dir, reader_file, finder, capsys
):
    detector = tmp_path / "detector.npz"
    data = {"splits": ["train", "val"]}
    write_released(detector, load_model(reader_file), {"data": data})
    fit_agreement(AgreementConfig(str(data_dir), str(reader_file), str(detector), without=0))
    warnings = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
    assert len(warnings) == 1
    assert f"{detector} was trained on val, too." in warnings[0]


def test_only_a_file_can_keep_a_rule(tmp_path, data_dir, reader_file):
    with pytest.raises(UserError, match=r"svhn\.release"):
        fit_agreement(AgreementConfig(str(data_dir), str(reader_file), str(tmp_path)))


def test_a_box_elsewhere_is_no_number():
    ways = [
        SeenNumber(found_number("42", box, 0.8), says(("42", 0.9)))
        for box in ((10, 10, 20, 10), (14, 10, 20, 10), (22, 10, 20, 10), (90, 90, 20, 10))
    ]
    label = as_label([4, 2])
    known = known_number(ways, np.array([10, 10, 20, 10], np.float32), label)
    assert [way.truth for way in known] == [label, label, None, None]
    assert all(way.number_score == pytest.approx(0.8) for way in known)
    assert [way.truth for way in known_number(ways)] == [None] * 4
