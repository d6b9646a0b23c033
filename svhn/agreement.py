"""Fits the rule that decides where reader and detector disagree; the detector's file keeps it.

python -m svhn.agreement --data_dir DIR --checkpoint_dir reader.npz --detector_checkpoint D.npz
"""

from svhn import command_line
from svhn.evaluation.agreement_config import AgreementConfig


def main(config: AgreementConfig) -> int:
    """Returns the exit status."""
    from svhn.evaluation.fit_agreement import fit_agreement  # imports TensorFlow

    return fit_agreement(config)


if __name__ == "__main__":
    command_line.run(main, AgreementConfig, "python -m svhn.agreement")
