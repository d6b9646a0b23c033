"""A conversion of a few random photos, and a model of a few weights."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from svhn.data.manifest import FORMAT, MANIFEST_NAME, shard_folder, shard_name
from svhn.data.records import serialize_record
from svhn.labels import DIGIT_CLASSES, HEAD_NAMES, LENGTH_CLASSES, length_name
from svhn.models.heads import six_heads

SHARDS = 3


def write_conversion(data_dir: Path, numbers: Mapping[str, Sequence[str]]) -> Path:
    """Writes photos of noise that are labelled with `numbers`, by split; returns `data_dir`."""
    random = np.random.default_rng(7)
    folder = shard_folder(data_dir)
    folder.mkdir(parents=True)
    splits = {}
    for split, texts in numbers.items():
        records = [_record(random, split, index, text) for index, text in enumerate(texts, start=1)]
        shards = []
        for shard in range(SHARDS):
            path = folder / shard_name(split, shard, SHARDS)
            part = records[shard::SHARDS]
            with tf.io.TFRecordWriter(str(path)) as writer:
                for record in part:
                    writer.write(record)
            shards.append({"file": path.name, "photos": len(part), "bytes": path.stat().st_size})
        by_length = Counter(length_name(len(text)) for text in texts)
        splits[split] = {"photos": len(records), "by_length": by_length, "shards": shards}
    manifest = {"format": FORMAT, "splits": splits}
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest))
    return data_dir


def no_logits(photos: int) -> dict[str, np.ndarray]:
    """Returns logits that favour nothing, for predictions that are made up."""
    return {
        name: np.zeros((photos, LENGTH_CLASSES if name == "length" else DIGIT_CLASSES), np.float32)
        for name in HEAD_NAMES
    }


def small_model(seed: int = 1) -> keras.Model:
    """Returns a model that reads different numbers from different noise, with layers whose
    training and inference differ.
    """
    keras.utils.set_random_seed(seed)
    images = keras.Input((54, 54, 3))
    features = keras.layers.AveragePooling2D(6)(images)
    features = keras.layers.BatchNormalization()(keras.layers.Flatten()(features))
    features = keras.layers.Rescaling(10.0)(keras.layers.Dropout(0.5)(features))
    return keras.Model(images, six_heads(features))


def _record(random: np.random.Generator, split: str, index: int, text: str) -> bytes:
    photo = random.integers(0, 256, (random.integers(20, 40), random.integers(30, 60), 3), np.uint8)
    encoded = BytesIO()
    Image.fromarray(photo).save(encoded, "PNG")
    height, width = photo.shape[:2]
    digit_width = width / (len(text) + 2)
    boxes = [[digit_width * (1 + i), 5, digit_width, height - 10] for i in range(len(text))]
    return serialize_record(
        encoded.getvalue(),
        height,
        width,
        [int(digit) for digit in text],
        np.array(boxes),
        "train" if split == "val" else split,
        f"{index}.png",
    )
