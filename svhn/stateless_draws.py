"""Random numbers that an example's own key decides, drawn for a whole batch at once.

TensorFlow's stateless operations take one seed for a whole tensor, so they would need a call for
each example, or numbers that depend on the neighbours in the batch. These are SplitMix64's
(Steele, Lea and Flood 2014), of which each has its own place in a sequence that the key starts.
"""

import tensorflow as tf

_STEP = 0x9E3779B97F4A7C15
"""From one state of the sequence to the next: 2⁶⁴ divided by the golden ratio."""


def uniform_draws(keys: tf.Tensor, count: int) -> tf.Tensor:
    """Returns independent uniform numbers for each key.

    Args:
        keys: int64 [B, 2].
        count: Numbers for each key. A larger count begins with the numbers of a smaller one.

    Returns:
        float32 [B, count], from -1 to below 1, multiples of 2⁻²³; each row follows from its key.
    """
    start = _mixed(_mixed(keys[:, :1] + _signed(_STEP)) + keys[:, 1:])
    steps = [_signed(_STEP * (place + 1) % 2**64) for place in range(count)]
    # 24 bits are a whole number that float32 holds exactly.
    bits = _shifted_right(_mixed(start + tf.constant(steps, tf.int64)), 40)
    return tf.cast(bits, tf.float32) * 2.0**-23 - 1.0


def _mixed(states: tf.Tensor) -> tf.Tensor:
    """Returns SplitMix64's output for each state, int64: a bijection of the 64-bit numbers."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        states = tf.bitwise.bitwise_xor(states, _shifted_right(states, shift)) * _signed(factor)
    return tf.bitwise.bitwise_xor(states, _shifted_right(states, 31))


def _shifted_right(states: tf.Tensor, places: int) -> tf.Tensor:
    """Returns the states shifted, zeros following from the left."""
    shifted = tf.bitwise.right_shift(states, tf.constant(places, tf.int64))
    return tf.bitwise.bitwise_and(shifted, tf.constant(2 ** (64 - places) - 1, tf.int64))


def _signed(number: int) -> int:
    """Returns the int64 number with the bits of this uint64 one."""
    return number - 2**64 if number >= 2**63 else number
