"""Records what the devices do in some steps, for TensorBoard's page Profile."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from svhn.errors import UserError


class Profile:
    """A recording that starts and ends at given steps of a run."""

    def __init__(self, steps: list[str], folder: str | Path):
        """Makes ready; nothing is recorded yet.

        Args:
            steps: `--profile_steps`: the first and the last step to record; empty for none.
            folder: The TensorBoard run that the recording belongs to.

        Raises:
            UserError: If the steps are not two numbers in order.
        """
        self.first = self.last = 0
        self._folder = str(folder)
        self._running = False
        if not steps:
            return
        numbers = [int(step) for step in steps if step.strip().isdecimal()]
        if len(steps) != 2 or len(numbers) != 2 or not 0 < numbers[0] <= numbers[1]:
            raise UserError(
                f"--profile_steps={','.join(steps)} names no steps. Expected: FIRST,LAST, such as "
                "--profile_steps=100,110"
            )
        self.first, self.last = numbers

    @contextmanager
    def step(self, step: int) -> Iterator[None]:
        """Surrounds a call that ends at a step: starts and ends the recording, marks the step."""
        if self.first <= step <= self.last and not self._running:
            tf.profiler.experimental.start(self._folder)
            self._running = True
        # A trace costs nothing while nothing is recorded.
        with tf.profiler.experimental.Trace("train", step_num=step, _r=1):
            yield
        if step >= self.last:
            self.close()

    def close(self) -> None:
        """Ends the recording if it is still on: the run ended sooner."""
        if self._running:
            tf.profiler.experimental.stop()
            self._running = False
