"""The same network with less to compute: for inference alone.

Once training is over, batch normalisation multiplies each channel by a number and adds another one.
After a convolution or a dense layer that is no work at all, if kernel and bias are multiplied
beforehand; convolution, bias and rectifier are then one step for a CPU. After anything else (in
`compact` the sum of a residual block) it becomes a 1×1 convolution of each channel by itself, which
is one step with the rectifier, too. Dropout does nothing in inference and is left out.
"""

from collections import Counter
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers


def for_inference(model: keras.Model) -> keras.Model:
    """Returns a network that gives what a trained one gives with `training=False`, to rounding.

    It has weights of its own: the trained one stays as it is, and may be trained further.

    Args:
        model: A functional model. Any other one is returned as it is, as its layers can't be seen.
    """
    if not isinstance(model, keras.Function):
        return model
    conversion = _Conversion(model)
    return keras.models.clone_model(
        model, clone_function=conversion.copy, call_function=conversion.apply
    )


class _Applied(NamedTuple):
    """A convolution or a dense layer, as it is applied in the new network."""

    layer: layers.Layer
    inputs: Any
    outputs: Any


class _Conversion:
    """What becomes of the layers of a network."""

    def __init__(self, model: keras.Model):
        # By name: no two layers of a network have the same.
        self._trained = {layer.name: layer for layer in model.layers}
        uses = [keras.tree.flatten(operation.input) for operation in model.operations]
        self._uses = Counter(id(tensor) for tensors in (*uses, model.outputs) for tensor in tensors)
        self._applied: dict[int, _Applied] = {}  # by the identity of their outputs
        self._new: dict[str, layers.Layer] = {}  # in place of normalisations, by name

    def copy(self, operation: keras.Operation) -> keras.Operation:
        """Returns an operation like that of the trained network."""
        if isinstance(operation, keras.Model):
            return for_inference(operation)
        config = operation.get_config()
        # The weights come later; drawing random ones would take half of the time.
        config |= {name: "zeros" for name in config if name.endswith("_initializer")}
        return operation.__class__.from_config(config)

    def apply(self, operation: keras.Operation, *inputs: Any, **arguments: Any) -> Any:
        """Returns the outputs of an operation, or of what does its work.

        Args:
            operation: As `copy` returned it.
            *inputs: In the new network.
            **arguments: All else that it is called with.
        """
        if isinstance(operation, layers.Dropout):
            return inputs[0]
        if isinstance(operation, layers.BatchNormalization):
            outputs = self._normalise(self._trained[operation.name], inputs[0])
            if outputs is not None:
                return outputs
        outputs = operation(*inputs, **arguments)
        if isinstance(operation, layers.Layer) and not isinstance(operation, keras.Model):
            operation.set_weights(self._trained[operation.name].get_weights())
        if type(operation) in (layers.Conv2D, layers.Dense):
            self._applied[id(outputs)] = _Applied(operation, inputs[0], outputs)
        return outputs

    def _normalise(self, trained: layers.BatchNormalization, inputs: Any) -> Any:
        """Returns the normalised inputs, or None where nothing else can do what the layer does."""
        if trained.axis not in (-1, len(inputs.shape) - 1):
            return None
        scale, offset = _scale_and_offset(trained)
        before = self._applied.get(id(inputs))
        if before and self._is_for_one_layer_alone(before.layer):
            kernel, *bias = (weight.astype(np.float64) for weight in before.layer.get_weights())
            config = before.layer.get_config()
            config |= {"name": f"{before.layer.name}_{trained.name}", "use_bias": True}
            weights = [kernel * scale, offset + scale * sum(bias)]
            return self._apply_new(before.layer.from_config(config), weights, before.inputs)
        if len(inputs.shape) != 4:
            return None
        each = layers.DepthwiseConv2D(1, dtype=trained.dtype_policy, name=trained.name)
        return self._apply_new(each, [scale[None, None, :, None], offset], inputs)

    def _is_for_one_layer_alone(self, copied: layers.Layer) -> bool:
        """Whether what a layer computes goes, unchanged by an activation, to one layer alone."""
        trained = self._trained[copied.name]
        return (
            trained.activation is keras.activations.linear and self._uses[id(trained.output)] == 1
        )

    def _apply_new(self, layer: layers.Layer, weights: list[np.ndarray], inputs: Any) -> Any:
        layer = self._new.setdefault(layer.name, layer)  # where the network applies one twice
        outputs = layer(inputs)
        layer.set_weights(weights)
        return outputs


def _scale_and_offset(trained: layers.BatchNormalization) -> tuple[np.ndarray, np.ndarray]:
    """Returns what it multiplies each channel by and what it then adds, float64 [C]."""
    mean, variance = (
        np.asarray(weight, np.float64) for weight in (trained.moving_mean, trained.moving_variance)
    )
    gamma = np.asarray(trained.gamma, np.float64) if trained.scale else 1.0
    beta = np.asarray(trained.beta, np.float64) if trained.center else 0.0
    scale = gamma / np.sqrt(variance + trained.epsilon)
    return scale, beta - mean * scale
