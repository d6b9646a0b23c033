"""What a run asks of its pipeline."""

import pytest

from svhn.training.loop import train


class _ReachedError(Exception):
    pass


def asked_of_pipeline(monkeypatch, task_module, pipeline_name, make_config):
    """Returns splits, mix and balance that reach a pipeline, with all of them named by flags.

    Args:
        monkeypatch: The fixture.
        task_module: The module of the task.
        pipeline_name: What its pipeline is called there.
        make_config: From these flags to a run's.
    """

    def pipeline(_, splits, *__, mix, balance_lengths, **___):
        raise _ReachedError(splits, mix, balance_lengths)

    monkeypatch.setattr(task_module, pipeline_name, pipeline)
    flags = {"splits": ["train", "val"], "mix": ["val:2", "train:3"], "balance_lengths": 0.5}
    with pytest.raises(_ReachedError) as caught:
        train(make_config(**flags))
    return caught.value.args
