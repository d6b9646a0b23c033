"""The recipe of the released weights, at a small scale, and the stages that it is made of."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from svhn import command_line
from svhn.data.converter_config import ConverterConfig
from svhn.data.join import JoinConfig
from svhn.data.recombined import RecombinedConfig
from svhn.data.synthetic import SyntheticConfig
from svhn.evaluation.agreement_config import AgreementConfig
from svhn.evaluation.config import EvaluationConfig
from svhn.evaluation.release_config import ReleaseConfig
from svhn.self_training.config import PseudoLabelsConfig
from svhn.self_training.false_numbers_config import FalseNumbersConfig
from svhn.training.config import TrainingConfig

ROOT = Path(__file__).resolve().parents[2]

CONFIGS = {
    "python -m svhn.data.synthetic": SyntheticConfig,
    "python -m svhn.data.recombined": RecombinedConfig,
    "python -m svhn.data.join": JoinConfig,
    "python convert_to_tfrecords.py": ConverterConfig,
    "python train.py": TrainingConfig,
    "python -m svhn.pseudo_labels": PseudoLabelsConfig,
    "python -m svhn.false_numbers": FalseNumbersConfig,
    "python -m svhn.release": ReleaseConfig,
    "python -m svhn.agreement": AgreementConfig,
    "python eval.py": EvaluationConfig,
}


def call(folder, *flags, status=0):
    done = subprocess.run(
        [sys.executable, str(ROOT / "recipes" / "release.py"), *flags],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A user's folder with rendered photos that stand for SVHN's."""
    folder = tmp_path_factory.mktemp("user")
    for name, sizes in (
        ("svhn", ["--train", "50", "--test", "16", "--extra", "0", "--seed", "3"]),
        ("more", ["--train", "16", "--test", "0", "--extra", "0", "--seed", "4"]),
    ):
        subprocess.run(
            [sys.executable, "-m", "svhn.data.synthetic", "--out", str(folder / name), *sizes],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
    return folder


# The commands


@pytest.mark.parametrize("scale", ["full", "small"])
def test_all_commands_have_flags_that_their_programs_know(folder, scale):
    (folder / "photos").mkdir(exist_ok=True)
    flags = ["--svhn_dir=svhn", "--out=release", "--unlabelled=photos", f"--scale={scale}"]
    flags += ["--precision=bfloat16", "--dry_run"]
    lines = call(folder, *flags).stdout.splitlines()
    assert not (folder / "release").exists()
    called = []
    for line in lines:
        program = next(name for name in CONFIGS if line.startswith(name))
        called.append(program)
        arguments = shlex.split(line.removeprefix(program))
        config = command_line.parse(CONFIGS[program], [program, *arguments], program)
        if program == "python train.py":
            assert config.patience == 0 and config.seed > 0
            assert config.precision == "bfloat16"
    assert set(called) == set(CONFIGS)
    assert called.count("python train.py") == 6


def test_self_training_takes_what_the_stages_before_have_made(folder):
    (folder / "photos").mkdir(exist_ok=True)
    flags = ["--svhn_dir=svhn", "--out=release", "--unlabelled=photos", "--detector=d.weights.h5"]
    lines = call(folder, *flags, "--dry_run").stdout.splitlines()
    assert not any("--task=detector" in line or "svhn.agreement" in line for line in lines)
    label, recombine, join, cut, convert, train = lines[5:11]
    release, evaluate, photos = lines[-3:]
    assert "--reader=release/teacher --detector=d.weights.h5 --data_dir=release/photos_1" in label
    assert "--agreement=length" in label
    assert "--data_dir=release/photos_1 --folders=train,pseudo" in recombine
    assert "release/recombined/extra,release/recombined_1/extra" in join
    assert "--out=release/photos_1/extra" in join
    assert "--detector=d.weights.h5 --keep_photos" in cut
    assert "--out=release/false_numbers_1/empty" in cut
    assert "--data_dir=release/photos_1 --output_dir=release/converted_1" in convert
    assert "--data_dir=release/converted_1 --train_logdir=release/reader_1" in train
    assert "--restore_checkpoint=release/teacher" in train and "pseudo:" in train
    again, last = lines[11], lines[16]
    assert "--reader=release/reader_1" in again and "--data_dir=release/photos_2" in again
    assert "--restore_checkpoint=release/reader_1" in last
    assert "--checkpoint_dir=release/reader_2" in release
    assert "--average_with=release/reader_1" in release
    assert "--splits=val,test" in evaluate
    assert not any(re.search(r"--splits=\S*(test|val)", line) for line in lines[:-2])
    assert "--task=photos" in photos and "--detector_checkpoint=d.weights.h5" in photos


def test_reader_and_detector_both_learn_from_what_they_have_labelled(folder):
    (folder / "photos").mkdir(exist_ok=True)
    flags = ["--svhn_dir=svhn", "--out=release", "--unlabelled=photos", "--dry_run"]
    trainings = [line for line in call(folder, *flags).stdout.splitlines() if "train.py" in line]
    teacher, first_detector, detector, reader, last_detector, last_reader = trainings
    for start in (teacher, first_detector):
        assert "--restore_checkpoint" not in start and "pseudo:" not in start
    assert "--restore_checkpoint=release/detector_1" in detector and "pseudo:" in detector
    assert "--restore_checkpoint=release/teacher" in reader and "pseudo:" in reader
    assert "empty:" not in teacher and "empty:" in detector
    assert "--splits=train,pseudo,extra,empty" in reader and "empty:1" in reader
    assert "--restore_checkpoint=release/detector_2" in last_detector
    assert "--restore_checkpoint=release/reader_1" in last_reader
    assert "--teachers=release/reader_1" in last_reader and "--teachers" not in reader
    release, release_detector, agreement = call(folder, *flags).stdout.splitlines()[-5:-2]
    assert "--checkpoint_dir=release/reader_2" in release
    assert "--checkpoint_dir=release/detector_3" in release_detector
    assert "--checkpoint_dir=release/reader.npz" in agreement


def test_with_real_extra_photos_only_photos_without_a_number_are_rendered(folder, tmp_path):
    for split in ("train", "extra"):
        (tmp_path / split).mkdir()
        (tmp_path / split / "digitStruct.mat").touch()
    lines = call(folder, f"--svhn_dir={tmp_path}", "--out=release", "--dry_run").stdout
    assert "only photos without a number are made" in lines
    assert "unlabelled is not there: no self-training" in lines
    assert "--empty=3000" in lines and "--extra=" not in lines and "recombined" not in lines


def test_mistakes_are_told_in_a_line(folder):
    for flags, message in (
        (["--svhn_dir=nowhere"], "there is no train/digitStruct.mat"),
        (["--svhn_dir=svhn", "--unlabelled=nowhere"], "--unlabelled=nowhere: there is no such"),
    ):
        done = call(folder, *flags, "--out=release", status=1)
        assert message in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (folder / "release").exists()


# The whole of it


@pytest.mark.slow
@pytest.mark.timeout(900)  # some minutes, on cores that it shares
def test_from_an_empty_folder_to_the_weights(folder, warm_programs):
    flags = ["--svhn_dir=svhn", "--out=made", "--scale=small", "--unlabelled=more/train"]
    done = warm_programs.run("-m", "tests.recipes.warm_stages", *flags, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    for network in ("reader.npz", "detector.npz"):
        assert (folder / "made" / network).stat().st_size > 100_000
    log = (folder / "made/recipe.log").read_text()
    made = ("recombine", "join", "convert")
    self_training = ("pseudo", *made, "false_numbers", "reader")
    stages = [
        *("render", *made, "teacher", "detector_1", "detector_2", "detector_3"),
        *(f"{name}_{number}" for name in self_training for number in (1, 2)),
        *("release", "release_detector", "agreement", "evaluate", "evaluate_photos"),
    ]
    for stage in stages:
        assert f"  {stage}: python " in log
        assert json.loads((folder / f"made/stages/{stage}.json").read_text())["result"]
    assert "50 photos of 2 folders" in log and "60 photos of 3 folders" in log
    assert "Best sequence accuracy on val" in log
    assert "of 16 photos" in log.splitlines()[-2]
    assert log.splitlines()[-1].endswith("reader.npz, made/detector.npz")
    assert all(line in done.stdout for line in log.splitlines())
    assert "Finished all 4 steps" in (folder / "made/stages/teacher.txt").read_text()
    # TensorFlow's own lines begin with a letter for how bad it is, and the date: W1122.
    printed = "".join(path.read_text() for path in (folder / "made/stages").glob("*.txt"))
    assert not re.search(r"^[IWEF][0-9]{4} ", printed, re.MULTILINE)

    weights = (folder / "made/reader.npz").stat().st_mtime_ns
    again = call(folder, *flags)
    assert again.stdout.count("done before") == len(stages)
    assert (folder / "made/reader.npz").stat().st_mtime_ns == weights
    changed = call(folder, *flags[:2], flags[3], "--scale=full", status=1)
    assert "stage render was done with other flags" in changed.stderr


# Single stages

PROGRAM = """
import pathlib, signal, sys, time
def stop(number, frame):
    print("saved", flush=True)
    sys.exit(128 + number)
signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)
print("started", flush=True)
if not pathlib.Path("go").exists():
    time.sleep(60)
print("score 7")
print("the last line")
"""

CALLER = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "recipes")!r}]
from pathlib import Path
from stages import Recipe, Stage
sys.exit(Recipe(Path("out"), Path()).run(Stage("wait", "python wait.py", {{}}, result="score")))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stage_that_is_stopped_saves_and_is_done_again(tmp_path, number):
    (tmp_path / "wait.py").write_text(PROGRAM)
    (tmp_path / "caller.py").write_text(CALLER)
    arguments = {"cwd": tmp_path, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(
        [sys.executable, "caller.py"], start_new_session=True, **arguments
    ) as process:
        while "started" not in process.stdout.readline():
            time.sleep(0.01)
        if number == signal.SIGINT:  # as Ctrl-C does, to both
            os.killpg(process.pid, number)
        else:
            process.terminate()
        printed, _ = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert "saved" in printed and f"ended with status {128 + number}" in printed
    assert not (tmp_path / "out/stages/wait.json").exists()

    (tmp_path / "go").touch()
    done = subprocess.run([sys.executable, "caller.py"], **arguments)
    assert done.returncode == 0
    assert json.loads((tmp_path / "out/stages/wait.json").read_text())["result"] == "score 7"
    assert (tmp_path / "out/stages/wait.txt").read_text().count("started") == 2
