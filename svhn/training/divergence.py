"""What to say of a run whose weights have become worthless."""

import numpy as np

from svhn.errors import UserError
from svhn.training.config import TrainingConfig


def diverged(what: str, config: TrainingConfig) -> UserError:
    """Returns the error that ends the run.

    Args:
        what: What is no longer finite: "The loss became nan at step 300".
        config: The run's flags.
    """
    return UserError(
        f"{what}; the checkpoints in {config.train_logdir} are from before. Start a new run with a "
        f"smaller --learning_rate than {config.learning_rate:g}"
    )


def require_finite_on_val(losses: np.ndarray, config: TrainingConfig) -> None:
    """Checks an evaluation before anything is measured or saved.

    The loss of a step is that of the weights before it: those after the last one may be worse.

    Args:
        losses: Of the photos of val, float [N].
        config: The run's flags.

    Raises:
        UserError: If one isn't finite.
    """
    finite = np.isfinite(losses)
    if not finite.all():
        raise diverged(f"The loss became {losses[~finite][0]} on val", config)
