"""Measures networks on the train, val and test photos: tables, results.json, TensorBoard."""

from svhn.command_line import run
from svhn.evaluation.config import EvaluationConfig


def main(config: EvaluationConfig) -> int:
    """Returns the exit status."""
    # TensorFlow starts here, after --help.
    if config.task == "photos":
        from svhn.evaluation.evaluate_photos import evaluate_photos

        return evaluate_photos(config)
    from svhn.evaluation.evaluate import evaluate

    return evaluate(config)


if __name__ == "__main__":
    run(main, EvaluationConfig)
