"""Drawings of photos whose number was not found or read wrong."""

from pathlib import Path

import numpy as np
from PIL import Image

from svhn.data.records import read_photos
from svhn.drawing import contact_sheet, draw_reading
from svhn.evaluation.photos import PhotoPredictions
from svhn.images import load_picture
from svhn.labels import number_text

COLUMNS = 5
TILE_SIZE = 240


def photo_mistakes_sheet(
    predictions: PhotoPredictions, data_dir: str | Path, split: str, most: int
) -> Image.Image | None:
    """Returns the photos of the most confident mistakes, or None where there are none.

    On each photo are the box of the best number and those of its digits; below: "truth / read",
    the confidence, what the detector alone reads, the photo's name.

    Args:
        predictions: Of the split.
        data_dir: The folder that holds `tfrecords/`; the photos are read again.
        split: Its name.
        most: How many, at most.
    """
    wrong = (predictions.labels != predictions.predicted).any(axis=1)
    order = np.argsort(-predictions.confidence, kind="stable")
    places = [int(place) for place in order if wrong[place]][:most]
    if not places:
        return None
    wanted = {predictions.file_names[place] for place in places}
    encoded = {}
    for photo in read_photos(data_dir, split):
        if (name := f"{photo.folder}/{photo.file_name}") in wanted:
            encoded[name] = photo.encoded
    pictures, captions = [], []
    for place in places:
        name = predictions.file_names[place]
        reading = predictions.readings[place]
        drawing = draw_reading(
            load_picture(encoded[name], name),
            reading.box,
            f"{number_text(predictions.labels[place])} / {reading.number or 'none'}",
            digit_boxes=reading.digit_boxes,
            min_side=TILE_SIZE,
            max_side=TILE_SIZE,
        )
        pictures.append(np.asarray(drawing))
        detected = "" if reading.detected is None else f", detector: {reading.detected}"
        captions.append(f"{100 * reading.confidence:.1f} %{detected}\n{name}")
    return contact_sheet(pictures, captions, columns=COLUMNS, tile_size=TILE_SIZE)
