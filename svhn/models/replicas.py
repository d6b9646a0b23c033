"""Which replica computes."""

from typing import Any

import keras


def replica_place() -> tuple[Any, int]:
    """Returns which of how many replicas computes; 0 of 1 outside a distributed step."""
    if keras.backend.backend() != "tensorflow":
        return 0, 1
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None:
        return 0, 1
    return context.replica_id_in_sync_group, context.num_replicas_in_sync
