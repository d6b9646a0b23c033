"""From the files of the networks to what reads photos."""

import json
from typing import NamedTuple

from svhn import __version__
from svhn.checkpoints import load_model
from svhn.command_line import warn
from svhn.loaded_model import LoadedModel
from svhn.reading.agreement import AgreementRule
from svhn.reading.boxes import BoxFinder
from svhn.reading.fingerprint import fingerprint
from svhn.reading.given_box import GivenBoxReader
from svhn.reading.photos import PhotoReader
from svhn.reading.reader import Reader
from svhn.reading.whole_photo import Finder, WholePhotoReader


class LoadedPhotoReader(NamedTuple):
    """What reads photos, and what its answers depend on."""

    photo_reader: PhotoReader
    settings: str
    """A text that changes when an answer could, because networks, thresholds or flags did."""


class LoadedFinder(NamedTuple):
    """What finds numbers, with what lies beside its weights."""

    finder: Finder
    rule: AgreementRule
    """Decides where it and the reader disagree."""

    network: LoadedModel
    """The detector."""

    fingerprint: str
    """Of all that decides which boxes it finds."""


def load_photo_reader(
    checkpoint: str,
    *,
    detector: str | None = None,
    find_box: BoxFinder | None = None,
    batch_size: int = 32,
    min_accuracy: float = 0.0,
) -> LoadedPhotoReader:
    """Returns what reads photos with a reader and, perhaps, a detector.

    Args:
        checkpoint: The reader's, as in `svhn.checkpoints.load_model`.
        detector: The detector's, likewise; None if it is known where the numbers are.
        find_box: Says where, if there is no detector.
        batch_size: Crops that the reader always sees at a time.
        min_accuracy: The share of right readings, 0 to 1, among those that are called sure; 0 to
            leave open which ones are.

    Raises:
        UserError: If a file isn't there, can't be read or holds another kind of network, or if
            there is no threshold for that accuracy.
    """
    settings = {"version": __version__, "batch_size": batch_size}
    if detector is None:
        reader = Reader.from_checkpoint(checkpoint, batch_size, min_accuracy)
        photo_reader = GivenBoxReader(reader, *([find_box] if find_box else []))
        threshold = reader.min_confidence
    else:
        reader = Reader.from_checkpoint(checkpoint, batch_size)
        loaded = load_finder(detector)
        identity = fingerprint(reader.model, reader.temperature)
        if loaded.rule.reader not in ("", identity):
            warn(
                f"{loaded.network.path} was fitted for another reader than {checkpoint}, so "
                "its confidences may be off: python -m svhn.agreement fits it for this one"
            )
        threshold = None
        if min_accuracy:
            threshold = loaded.rule.demand_threshold(min_accuracy, identity, loaded.network.path)
        photo_reader = WholePhotoReader(reader, loaded.finder, loaded.rule, threshold)
        settings |= {"detector": loaded.fingerprint, "rule": loaded.rule.as_json()}
    settings |= {
        "reader": fingerprint(reader.model, reader.temperature),
        "min_confidence": threshold,
    }
    return LoadedPhotoReader(photo_reader, json.dumps(settings, sort_keys=True))


def load_finder(path: str) -> LoadedFinder:
    """Returns what finds numbers with a detector.

    Args:
        path: A checkpoint or a file of released weights, as in `svhn.checkpoints.load_model`.

    Raises:
        UserError: If there is no such file, if it can't be read, or if it holds no detector.
    """
    from svhn.detection.box_scale import BoxScale
    from svhn.detection.finder import NumberFinder
    from svhn.detection.outline import Outline

    loaded = load_model(path, task="detector")
    rule = AgreementRule.from_json(loaded.state.get("agreement"))
    boxes = [*BoxScale.of(loaded.state), *Outline.of(loaded.state)]
    identity = f"{fingerprint(loaded.model)} {boxes}"
    return LoadedFinder(NumberFinder.of(loaded), rule, loaded, identity)
