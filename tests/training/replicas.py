"""A run on logical CPU devices, for a process of its own: they can't be made later.

python -m tests.training.replicas REPLICAS --flags of train.py
"""

import sys

from svhn import command_line
from svhn.training.config import TrainingConfig


def main(config: TrainingConfig) -> int:
    import tensorflow as tf

    from svhn.training.loop import train

    cpus = tf.config.list_logical_devices("CPU")
    if len(cpus) == 1:
        return train(config)
    return train(config, tf.distribute.MirroredStrategy([cpu.name for cpu in cpus]))


if __name__ == "__main__":
    import tensorflow as tf

    replicas = int(sys.argv.pop(1))
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * replicas
    )
    command_line.run(main, TrainingConfig, needs_tensorflow=False)
