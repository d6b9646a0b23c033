import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from svhn.training.event_files import drop_events_after


def write(folder, steps):
    with tf.summary.create_file_writer(str(folder)).as_default():
        for step in steps:
            tf.summary.scalar("loss", float(step), step=step)


def steps(folder):
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return [event.step for event in accumulator.Tensors("loss")]


def test_points_after_the_step_go_and_others_stay(tmp_path):
    write(tmp_path, [1, 2, 3, 4])
    drop_events_after(tmp_path, 2)
    assert steps(tmp_path) == [1, 2]
    write(tmp_path, [3, 4])
    drop_events_after(tmp_path, 3)
    drop_events_after(tmp_path, 3)
    assert steps(tmp_path) == [1, 2, 3]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_that_ends_in_the_middle_of_a_record_counts_up_to_there(tmp_path):
    write(tmp_path, [1, 2, 3])
    [path] = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-7])
    drop_events_after(tmp_path, 3)
    assert steps(tmp_path) == [1, 2]


def test_an_old_file_beside_the_new_one_doubles_nothing(tmp_path):
    write(tmp_path, [1, 2, 3])
    [path] = tmp_path.iterdir()
    content = path.read_bytes()
    drop_events_after(tmp_path, 2)
    path.write_bytes(content)  # as if killed before the old file was deleted
    drop_events_after(tmp_path, 2)
    assert steps(tmp_path) == [1, 2]


def test_nothing_happens_where_there_is_nothing(tmp_path):
    drop_events_after(tmp_path / "absent", 5)
    assert not (tmp_path / "absent").exists()
