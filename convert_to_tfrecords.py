"""Converts SVHN's folders of photos to TFRecord shards: DATA_DIR/tfrecords.

The folders train/, test/ and extra/, each with photos and a digitStruct.mat, become the splits
train, extra, val and test; pseudo/, photos that a machine has labelled, the split pseudo; and
empty/, photos without any number, the split empty.
"""

from svhn.command_line import run
from svhn.data.converter import convert
from svhn.data.converter_config import ConverterConfig

if __name__ == "__main__":
    run(convert, ConverterConfig, needs_tensorflow=False)
