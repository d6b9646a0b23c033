"""Measures a checkpoint on the train, val and test photos: tables, results.json, TensorBoard."""

from svhn.command_line import run
from svhn.evaluation.config import EvaluationConfig


def main(config: EvaluationConfig) -> int:
    """Returns the exit status."""
    from svhn.evaluation.evaluate import evaluate  # TensorFlow starts here, after --help

    return evaluate(config)


if __name__ == "__main__":
    run(main, EvaluationConfig)
