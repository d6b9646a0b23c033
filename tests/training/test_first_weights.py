from pathlib import Path

import numpy as np
import pytest

from svhn.checkpoints import load_model, newest_checkpoint
from svhn.errors import UserError
from svhn.models import vgg16
from svhn.training import first_weights
from svhn.training.config import FREE_FLAGS, TrainingConfig
from svhn.training.loop import train
from tests.small_conversion import write_conversion

CONVOLUTIONS = ("block1_conv1", "block2_conv1")
NUMBERS = {"train": ["1", "23", "456"], "val": ["7", "12"]}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return str(write_conversion(tmp_path_factory.mktemp("data"), NUMBERS))


def config(data_dir, folder, **changes):
    flags = {"steps": 1, "batch_size": 2, "schedule": "constant", "model": "vgg16"}
    # So small a rate that a step changes no weight by more than a millionth.
    rate = {"learning_rate": 1e-6, "warmup_steps": 0}
    return TrainingConfig(data_dir, train_logdir=str(folder), **{**flags, **rate, **changes})


@pytest.fixture
def small_vgg16(monkeypatch):
    """A network of the same kind that is compiled and saved in no time."""
    monkeypatch.setattr(vgg16, "BLOCKS", [(4, 1), (4, 1)])
    monkeypatch.setattr(vgg16, "DENSE_UNITS", (8,))


def test_a_run_starts_from_the_backbone_and_goes_on_without_its_file(
    data_dir, tmp_path, capsys, monkeypatch, small_vgg16
):
    file = tmp_path / "backbone.h5"
    file.touch()

    def load_backbone(model, source):
        assert Path(source).is_file()
        for name in CONVOLUTIONS:
            layer = model.get_layer(name)
            layer.set_weights([np.full(weight.shape, 0.25) for weight in layer.weights])

    monkeypatch.setattr(first_weights, "load_backbone", load_backbone)
    flags = {"backbone_weights": str(file), "average_decay": 0.9}
    assert train(config(data_dir, tmp_path / "logs", **flags)) == 0
    assert f"Starts from the weights of {file}" in capsys.readouterr().out
    for raw in (False, True):
        trained = load_model(newest_checkpoint(tmp_path / "logs"), raw_weights=raw).model
        for name in CONVOLUTIONS:
            for weight in trained.get_layer(name).get_weights():
                np.testing.assert_allclose(weight, 0.25, atol=1e-5)

    file.unlink()
    assert train(config(data_dir, tmp_path / "logs", **{**flags, "steps": 2})) == 0
    assert "Continues" in capsys.readouterr().out


def test_another_backbone_is_another_run():
    assert "backbone_weights" not in FREE_FLAGS


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "compact", "backbone_weights": "imagenet"}, "--model=compact has no backbone"),
        ({"backbone_weights": "imagenet", "restore_checkpoint": "logs"}, "give one"),
        ({"backbone_weights": "no/such/file.h5"}, "no such file"),
    ],
)
def test_flags_that_make_no_sense_are_refused(changes, words, data_dir, tmp_path, small_vgg16):
    with pytest.raises(UserError, match=words):
        train(config(data_dir, tmp_path, **changes))
