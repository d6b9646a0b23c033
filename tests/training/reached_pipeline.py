"""What a run asks of its pipeline."""

import pytest

from svhn.training.loop import train


class _ReachedError(Exception):
    pass


def asked_of_pipeline(monkeypatch, task_module, pipeline_name, make_config):
    """Returns what reaches a pipeline of what the flags name: splits, mix, balance, augmentation.

    Args:
        monkeypatch: The fixture.
        task_module: The module of the task.
        pipeline_name: What its pipeline is called there.
        make_config: From these flags to a run's.
    """

    def pipeline(_, splits, *__, mix, balance_lengths, augmentation, **___):
        raise _ReachedError(splits, mix, balance_lengths, augmentation)

    monkeypatch.setattr(task_module, pipeline_name, pipeline)
    flags = {
        "splits": ["train", "val"],
        "mix": ["val:2", "train:3"],
        "balance_lengths": 0.5,
        "augmentation": 0.75,
        "photometric_share": 0.25,
    }
    with pytest.raises(_ReachedError) as caught:
        train(make_config(**flags))
    return caught.value.args
