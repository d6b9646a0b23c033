"""What TensorFlow Datasets needs beside the shards, so that it opens and slices the folder.

`tfds.builder_from_directory(DATA_DIR/tfrecords)` reads `dataset_info.json` and `features.json`.
They are written here without TensorFlow Datasets, which takes seconds to import; the tests
compare them with what it writes itself.
"""

import json
from collections.abc import Mapping
from typing import Any

FILES = ("dataset_info.json", "features.json")

_HOMEPAGE = "http://ufldl.stanford.edu/housenumbers/"
_DESCRIPTION = (
    "Street View House Numbers, format 1: whole photos with the boxes of all digits. For research,"
    " non-commercial use. `val` is drawn from the official train and extra photos."
)
_CITATION = (
    "@inproceedings{netzer2011reading, title={Reading Digits in Natural Images with Unsupervised"
    " Feature Learning}, author={Netzer, Yuval and Wang, Tao and Coates, Adam and Bissacco,"
    " Alessandro and Wu, Bo and Ng, Andrew Y.}, booktitle={NIPS Workshop on Deep Learning and"
    " Unsupervised Feature Learning}, year={2011}}"
)
_FEATURE_CLASSES = "tensorflow_datasets.core.features"


def tfds_metadata(splits: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Returns the files, by name, that make the folder a data set of TensorFlow Datasets.

    Args:
        splits: The manifest's `splits`: by name `photos`, `bytes` and `shards`.
    """
    information = {
        "citation": _CITATION,
        "description": _DESCRIPTION,
        "fileFormat": "tfrecord",
        "location": {"urls": [_HOMEPAGE]},
        "name": "svhn",
        "splits": [
            {
                "filepathTemplate": "{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
                "name": name,
                "numBytes": str(split["bytes"]),
                "shardLengths": [str(shard["photos"]) for shard in split["shards"]],
            }
            for name, split in splits.items()
        ],
        "version": "1.0.0",
    }
    contents = (information, _features())
    return {
        name: json.dumps(content, indent=2, sort_keys=True) + "\n"
        for name, content in zip(FILES, contents, strict=True)
    }


def _features() -> dict[str, Any]:
    label = _feature("class_label_feature.ClassLabel", classLabel={"numClasses": "10"})
    digits = _feature(
        "sequence_feature.Sequence",
        sequence={
            "feature": _dictionary(label=label, bounding_box=_tensor("float32", 4)),
            "length": "-1",
        },
    )
    image = {"dtype": "uint8", "encodingFormat": "png", "shape": _shape(-1, -1, 3)}
    text = _feature("text_feature.Text", text={})
    return _dictionary(
        digits=digits,
        file_name=text,
        height=_tensor("int64"),
        image=_feature("image_feature.Image", image=image),
        number=text,
        split=text,
        width=_tensor("int64"),
    )


def _feature(class_name: str, **content: Any) -> dict[str, Any]:
    return {"pythonClassName": f"{_FEATURE_CLASSES}.{class_name}", **content}


def _dictionary(**features: dict[str, Any]) -> dict[str, Any]:
    return _feature("features_dict.FeaturesDict", featuresDict={"features": features})


def _tensor(dtype: str, *dimensions: int) -> dict[str, Any]:
    content = {"dtype": dtype, "encoding": "none", "shape": _shape(*dimensions)}
    return _feature("tensor_feature.Tensor", tensor=content)


def _shape(*dimensions: int) -> dict[str, Any]:
    return {"dimensions": [str(dimension) for dimension in dimensions]} if dimensions else {}
