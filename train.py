"""Trains a house-number reader on the TFRecords that convert_to_tfrecords.py wrote.

python train.py --data_dir your_data_dir --train_logdir ./logs/train

Checkpoints and TensorBoard events go to --train_logdir. A run that is found there continues:
after an interruption, give the same command again. --task=detector trains a digit detector.
"""

from svhn import command_line
from svhn.training.config import TrainingConfig


def main(config: TrainingConfig) -> int:
    """Trains as the flags say and returns the exit status."""
    from svhn.training.loop import train  # imports TensorFlow

    return train(config)


if __name__ == "__main__":
    command_line.run(main, TrainingConfig)
