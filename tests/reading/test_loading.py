"""From files to what reads photos; with the real finder, where it is there."""

import keras
import pytest

from svhn.checkpoints import load_model
from svhn.errors import UserError
from svhn.loaded_model import LoadedModel
from svhn.models import build_model
from svhn.reading.agreement import AgreementRule
from svhn.reading.given_box import GivenBoxReader
from svhn.reading.loading import load_finder, load_photo_reader
from svhn.reading.whole_photo import WholePhotoReader
from svhn.released_weights import write_released
from tests.reading.conftest import random_photo

RULE = AgreementRule(0.75, 0.02, 0.1, (-1.0, 0.5, 0.3, 0.2), reader="abcd")


@pytest.fixture(scope="module")
def detector_file(tmp_path_factory):
    keras.utils.set_random_seed(5)
    path = tmp_path_factory.mktemp("detector") / "detector.npz"
    loaded = LoadedModel(build_model("detector"), 3, {"model": "detector"}, {}, "a test")
    write_released(path, loaded, {"agreement": RULE.as_json()})
    return path


def test_the_rule_comes_with_the_detector(detector_file):
    loaded = load_finder(str(detector_file))
    assert loaded.rule == RULE
    assert loaded.network.path == str(detector_file)
    # Untrained: it is sure of nothing.
    assert loaded.finder.find(random_photo(1, 60, 80)) == []


def test_what_reads_photos_depends_on_its_files(detector_file, small_checkpoint):
    told, settings = load_photo_reader(str(small_checkpoint), batch_size=2)
    assert isinstance(told, GivenBoxReader)
    finding, others = load_photo_reader(
        str(small_checkpoint), detector=str(detector_file), batch_size=2
    )
    assert isinstance(finding, WholePhotoReader)
    assert finding.read(random_photo(1, 60, 80)) == []
    assert settings != others


def test_a_rule_that_was_fitted_for_another_reader_is_told(detector_file, small_checkpoint, capsys):
    load_photo_reader(str(small_checkpoint), detector=str(detector_file))
    told = capsys.readouterr().err
    assert told.startswith(f"warning: {detector_file} was fitted for another reader than ")
    assert "python -m svhn.agreement" in told and told.count("\n") == 1


def test_networks_are_not_mixed_up(detector_file, small_checkpoint):
    with pytest.raises(UserError, match="detector"):
        load_finder(str(small_checkpoint))
    with pytest.raises(UserError, match="reader"):
        load_model(str(detector_file))
    with pytest.raises(UserError, match="has no thresholds"):
        load_photo_reader(str(small_checkpoint), detector=str(detector_file), min_accuracy=0.9)
