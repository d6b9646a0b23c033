"""The whole way from the shell, as the README shows it: render, convert, train, evaluate, read."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def arguments(program, *flags):
    """What follows `python` in a command of the README: the script's path, or -m and a module."""
    start = [str(ROOT / program)] if program.endswith(".py") else ["-m", program]
    return [*start, *map(str, flags)]


def from_the_shell(folder, *command):
    """Runs a command of the README in a folder of the user's; returns what it printed."""
    line = [sys.executable, *arguments(*command)]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def call(warm_programs):
    """Likewise, without the time that a new Python takes to import TensorFlow."""

    def call(folder, *command, status=0):
        done = warm_programs.run(*arguments(*command), cwd=folder)
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return call


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which a network was trained on a few photos until it knows them."""
    folder = tmp_path_factory.mktemp("user")
    sizes = ["--train", "60", "--test", "20", "--extra", "0", "--seed", "2"]
    from_the_shell(folder, "svhn.data.synthetic", "--out", "data", *sizes)
    from_the_shell(
        folder, "convert_to_tfrecords.py", "--data_dir", "data", "--val_fraction_train", "0.2"
    )
    trained = from_the_shell(
        folder,
        *["train.py", "--data_dir", "data", "--train_logdir", "./logs/train"],
        *["--steps", "80", "--batch_size", "16", "--augmentation", "0"],
        *["--evaluate_every", "80", "--seed", "1"],
    )
    assert "Finished all 80 steps" in trained.stdout
    assert "I0000" not in trained.stderr, "TensorFlow's start-up lines reach the screen"
    return folder


@pytest.mark.slow
def test_evaluation_finds_that_the_training_photos_were_learnt(folder, call):
    line = [
        "--data_dir",
        "data",
        "--checkpoint_dir",
        "./logs/train",
        "--eval_logdir",
        "./logs/eval",
    ]
    done = call(folder, "eval.py", *line)
    assert "sequence" in done.stdout
    results = json.loads((folder / "logs/eval/results.json").read_text())
    splits = results["splits"]
    manifest = json.loads((folder / "data/tfrecords/manifest.json").read_text())
    for split in ("train", "val", "test"):
        assert splits[split]["photos"] == manifest["splits"][split]["photos"]
    # Of 48 photos only a network that learns knows more than half; guessing knows one in a hundred.
    assert splits["train"]["sequence_accuracy"]["value"] > 0.5
    assert list((folder / "logs/eval/test").glob("*tfevents*"))


@pytest.mark.slow
def test_inference_reads_a_folder_and_names_what_it_can_not_read(folder, call):
    photos = folder / "photos"
    photos.mkdir()
    for number in (1, 2, 3):
        source = folder / "data" / "test" / f"{number}.png"
        (photos / source.name).write_bytes(source.read_bytes())
    line = ["--image", "photos", "--restore_checkpoint", "logs/train/model.ckpt"]
    line += ["--boxes=whole"]
    done = call(folder, "inference.py", *line)
    assert len(done.stdout.splitlines()) == 3
    assert done.stdout.splitlines()[0].endswith("1.png")

    (photos / "broken.png").write_bytes(b"no picture")
    done = call(folder, "inference.py", *line, "--output_dir", "out", status=1)
    assert len(done.stdout.splitlines()) == 3
    assert "broken.png" in done.stderr
    with (folder / "out/predictions.csv").open() as file:
        assert len(list(csv.reader(file))) == 1 + 4
    assert len(list((folder / "out/annotated").glob("*"))) == 3


@pytest.mark.slow
def test_released_weights_are_taken_wherever_a_checkpoint_is(folder, call):
    source = ["--checkpoint_dir", "logs/train", "--data_dir", "data"]
    done = call(folder, "svhn.release", *source, "--output", "reader.npz")
    assert "photos are read otherwise" in done.stdout
    assert (folder / "reader.npz").stat().st_size < 8e6

    line = ["inference.py", "--image", "data/test", "--boxes=whole", "--restore_checkpoint"]
    from_file = call(folder, *line, "reader.npz").stdout.splitlines()
    from_run = call(folder, *line, "logs/train").stdout.splitlines()
    assert len(from_file) == 20
    # Half precision may change a percentage; hardly a number.
    same = [one.split()[0] == two.split()[0] for one, two in zip(from_file, from_run, strict=True)]
    assert sum(same) >= 19

    line = ["--data_dir", "data", "--checkpoint_dir", "reader.npz", "--eval_logdir", "released"]
    assert "chosen on the" in call(folder, "eval.py", *line, "--splits", "val").stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["convert_to_tfrecords.py", "--data_dir", "nowhere"], "nowhere"),
        (["train.py", "--data_dir", "nowhere"], "nowhere"),
        (["train.py", "--data_dir", "data", "--train_logdir", "logs/train"], "--batch_size"),
        (["eval.py", "--data_dir", "data", "--checkpoint_dir", "nowhere"], "train.py"),
        (["inference.py", "--image", "photos", "--restore_checkpoint", "nowhere"], "train.py"),
        # A dozen photos of val can't promise that.
        (
            [
                "inference.py",
                "--image=data/test",
                "--boxes=whole",
                "--restore_checkpoint=logs/train",
                "--min_accuracy=0.98",
            ],
            "--min_accuracy",
        ),
        (["svhn.release", "--checkpoint_dir", "nowhere", "--output", "reader.npz"], "train.py"),
    ],
)
def test_a_users_mistake_is_one_line(folder, call, command, words):
    done = call(folder, *command, status=1)
    assert done.stderr.count("\n") == 1, done.stderr
    assert words in done.stderr
    assert "error: " in done.stderr


def test_help_whose_reader_has_gone_ends_quietly():
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()  # as head does after its lines, only sooner
    assert process.wait(timeout=60) == 0
    assert process.stderr.read() == b""
    process.stderr.close()
