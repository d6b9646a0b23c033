"""Records what the devices do in some steps, for TensorBoard's page Profile."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from svhn.command_line import warn
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
        self._running = self._recorded = False
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
    def steps(self, first: int, last: int) -> Iterator[None]:
        """Surrounds a call of some steps: starts and ends the recording, marks the last step.

        A call is recorded as a whole, if one of its steps is to be.
        """
        if first <= self.last and self.first <= last and not self._recorded:
            tf.profiler.experimental.start(self._folder)
            self._running = self._recorded = True
        # A trace costs nothing while nothing is recorded.
        with tf.profiler.experimental.Trace("train", step_num=last, _r=1):
            yield
        if last >= self.last:
            self._stop()

    def close(self) -> None:
        """Ends the recording if it is still on (the run ended sooner); warns if there was none."""
        self._stop()
        if self.last and not self._recorded:
            warn(
                f"--profile_steps={self.first},{self.last}: nothing was recorded, as the run did"
                " none of these steps this time"
            )

    def _stop(self) -> None:
        if self._running:
            tf.profiler.experimental.stop()
            self._running = False
