"""What the weights of a new run are before its first step."""

import keras

from svhn.checkpoints import load_weights
from svhn.errors import UserError
from svhn.models import BACKBONE_MODELS
from svhn.models.backbone import load_backbone
from svhn.training.config import TrainingConfig


def check_first_weights(config: TrainingConfig) -> None:
    """Refuses flags about the first weights that go against each other.

    Raises:
        UserError: If a backbone is asked for where there is none, or other weights, too.
    """
    if not config.backbone_weights:
        return
    if config.model not in BACKBONE_MODELS:
        raise UserError(
            f"--backbone_weights={config.backbone_weights}: --model={config.model} has no backbone "
            f"to give them to. Leave the flag out, or choose --model={','.join(BACKBONE_MODELS)}"
        )
    if config.restore_checkpoint:
        raise UserError(
            f"--backbone_weights={config.backbone_weights} and "
            f"--restore_checkpoint={config.restore_checkpoint} both say what to start from; "
            "give one"
        )


def load_first_weights(config: TrainingConfig, model: keras.Model) -> str:
    """Gives a new model the weights that the flags name, if any.

    Args:
        config: `restore_checkpoint`, `backbone_weights`.
        model: With its random weights.

    Returns:
        Where the weights come from; "" where they stay random.

    Raises:
        UserError: If there are no such weights, or they don't fit.
    """
    if config.restore_checkpoint:
        load_weights(model, config.restore_checkpoint)
        return config.restore_checkpoint
    if config.backbone_weights:
        load_backbone(model, config.backbone_weights)
        return f"{config.backbone_weights} (convolutions)"
    return ""
