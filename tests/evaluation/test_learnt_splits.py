"""Held-out splits that a network was trained on nevertheless."""

import pytest

from svhn.evaluation.learnt_splits import warn_of_learnt
from svhn.loaded_model import LoadedModel
from svhn.stored_calibration import StoredCalibration


def trained_on(*splits):
    state = {"data": {"splits": list(splits)}} if splits else {}
    return LoadedModel(None, 30, {}, state, "reader.npz", StoredCalibration())


@pytest.mark.parametrize("network", [trained_on("train", "extra"), trained_on()])
def test_what_it_has_not_learnt_from_is_not_named(network, capsys):
    warn_of_learnt(network, ["train", "val", "test", "extra"])
    assert capsys.readouterr().err == ""


def test_held_out_splits_are_named_together(capsys):
    warn_of_learnt(trained_on("train", "val", "extra", "test"), ["train", "val", "test"])
    assert capsys.readouterr().err.startswith(
        "warning: reader.npz was trained on val and test, too. "
    )
