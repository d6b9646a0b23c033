"""The whole of eval.py, from a checkpoint to the files that it leaves."""

import csv
import dataclasses
import hashlib
import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import svhn
from svhn.checkpoints import CHECKPOINT_NAME, Checkpoints
from svhn.data.manifest import MANIFEST_NAME, shard_folder
from svhn.decoding import Decoded
from svhn.errors import UserError
from svhn.evaluation import evaluate as evaluate_module
from svhn.evaluation.config import EvaluationConfig
from svhn.evaluation.evaluate import evaluate, splits_to_evaluate
from svhn.models import build_model
from svhn.stored_calibration import StoredCalibration
from tests.small_conversion import no_logits, small_model, write_conversion

EVAL = Path(__file__).parents[2] / "eval.py"
NUMBERS = {
    "train": ["7", "42", "365"] * 4,
    "val": ["12345", "123456", "0"],
    "test": ["75", "1"] * 5,
    "extra": ["3"],
}


CALIBRATION = StoredCalibration(0.5, {0.95: 0.25, 0.98: 0.75, 0.99: None}, photos=1234)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return write_conversion(tmp_path_factory.mktemp("data"), NUMBERS)


@pytest.fixture
def config(data_dir, tmp_path, monkeypatch):
    """For a checkpoint of the small model at step 30."""
    loaded = evaluate_module.LoadedModel(
        *(small_model(), 30, {"model": "small"}, {}, "logs/train/model.ckpt-30", CALIBRATION)
    )
    monkeypatch.setattr(evaluate_module, "load_model", lambda path, raw_weights: loaded)
    return EvaluationConfig(
        data_dir=str(data_dir), eval_logdir=str(tmp_path / "logs" / "eval"), batch_size=8
    )


def test_files_for_each_split(config, data_dir, capsys):
    folder = Path(config.eval_logdir)
    folder.mkdir(parents=True)
    (folder / "results.json").write_text("of an earlier evaluation")
    assert evaluate(config) == 0
    assert {path.name for path in folder.iterdir()} == {
        "results.json",
        *(f"predictions_{split}.csv" for split in ("train", "val", "test")),
        *(f"charts_{split}.png" for split in ("train", "val", "test")),
        *(f"mistakes_{split}.png" for split in ("train", "val", "test")),
        *("train", "val", "test"),
    }
    results = json.loads((folder / "results.json").read_text())
    manifest = shard_folder(data_dir) / MANIFEST_NAME
    assert {name: value for name, value in results.items() if name != "splits"} == {
        "version": svhn.__version__,
        "model": "small",
        "checkpoint": "logs/train/model.ckpt-30",
        "step": 30,
        "calibration": CALIBRATION.as_json(),
        "data_dir": str(data_dir),
        "manifest_sha256": hashlib.sha256(manifest.read_bytes()).hexdigest(),
    }
    for split in ("train", "val", "test"):
        assert results["splits"][split]["photos"] == len(NUMBERS[split])
        with (folder / f"predictions_{split}.csv").open(newline="") as file:
            lines = list(csv.DictReader(file))
        assert len({line["photo"] for line in lines}) == len(NUMBERS[split])
        right = sum(int(line["right"]) for line in lines)
        assert right == results["splits"][split]["sequence_accuracy"]["correct"]
    shown = capsys.readouterr().out
    assert "model small, step 30" in shown
    assert "Throughput: " in shown
    assert str(folder / "mistakes_val.png") in shown


def test_what_is_applied_is_the_network_for_inference(config, monkeypatch):
    applied, network = [], build_model("plain")

    def recording_step(model, temperature):
        applied.append(model)
        return reads_the_truth

    monkeypatch.setattr(evaluate_module, "for_inference", lambda _: network)
    monkeypatch.setattr(evaluate_module, "make_predict_step", recording_step)
    evaluate(config)
    assert applied == [network]


def test_a_split_that_the_network_has_learnt_from_is_named(config, monkeypatch, capsys):
    config = dataclasses.replace(config, splits=["train", "val"])
    assert evaluate(config) == 0
    assert "warning" not in capsys.readouterr().err
    loaded = evaluate_module.load_model("", raw_weights=False)
    learnt = dataclasses.replace(loaded, state={"data": {"splits": ["train", "val", "extra"]}})
    monkeypatch.setattr(evaluate_module, "load_model", lambda path, raw_weights: learnt)
    assert evaluate(config) == 0
    warnings = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
    assert len(warnings) == 1
    assert "logs/train/model.ckpt-30 was trained on val, too." in warnings[0]
    assert evaluate(dataclasses.replace(config, splits=["test"])) == 0
    assert "warning" not in capsys.readouterr().err


def test_a_model_that_has_diverged(config, monkeypatch):
    def gives_nan(images, labels):
        decoded, loss, logits = reads_the_truth(images, labels)
        return decoded._replace(confidence=np.nan * loss), np.nan * loss, logits

    monkeypatch.setattr(evaluate_module, "make_predict_step", lambda *_: gives_nan)
    with pytest.raises(UserError, match=r"model.ckpt-30 gives values that are not numbers"):
        evaluate(config)


def test_without_mistakes_there_is_no_sheet_and_it_says_so(config, monkeypatch, capsys):
    stale = Path(config.eval_logdir) / "mistakes_val.png"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"of another model")
    monkeypatch.setattr(evaluate_module, "make_predict_step", lambda *_: reads_the_truth)
    evaluate(config)
    assert "No mistakes, so no picture of them: train, val, test" in capsys.readouterr().out
    assert not list(Path(config.eval_logdir).glob("mistakes_*"))
    results = json.loads((Path(config.eval_logdir) / "results.json").read_text())
    assert results["splits"]["val"]["coverage"] == [
        {"at_accuracy": accuracy, "share": 1, "confidence_threshold": 1}
        for accuracy in (0.95, 0.98, 0.99)
    ]


def reads_the_truth(images, labels):
    """A predict step that is always right and sure of it."""
    ones = np.ones((len(labels), 5), np.float32)
    return Decoded(labels, ones[:, 0], ones), 0 * ones[:, 0], no_logits(len(labels))


def test_the_splits_that_are_there(data_dir, tmp_path):
    assert splits_to_evaluate(str(data_dir), []) == ["train", "val", "test"]
    assert splits_to_evaluate(str(data_dir), ["test", "extra", "test"]) == ["test", "extra"]
    only_test = str(write_conversion(tmp_path / "only", {"test": ["1"]}))
    assert splits_to_evaluate(only_test, []) == ["test"]
    with pytest.raises(UserError, match=r"no photos of the split 'val'.*it has: test"):
        splits_to_evaluate(only_test, ["test", "val"])
    with pytest.raises(UserError, match=r"--splits names 'vall'; expected some of: train"):
        splits_to_evaluate(only_test, ["vall"])
    with pytest.raises(UserError, match=r"--splits names 'empty'; expected some of: train"):
        splits_to_evaluate(only_test, ["empty"])
    only_extra = str(write_conversion(tmp_path / "extra", {"extra": ["1"]}))
    with pytest.raises(UserError, match=r"it has: extra. Choose with --splits"):
        splits_to_evaluate(only_extra, [])


def test_no_conversion(tmp_path):
    with pytest.raises(UserError, match=r"run python convert_to_tfrecords.py --data_dir"):
        evaluate(EvaluationConfig(data_dir=str(tmp_path)))


def test_no_checkpoint(data_dir, tmp_path):
    config = EvaluationConfig(
        data_dir=str(data_dir),
        checkpoint_dir=str(tmp_path),
        eval_logdir=str(tmp_path / "eval"),
    )
    with pytest.raises(UserError, match=r"has no checkpoint.*Run train.py first"):
        evaluate(config)
    assert not (tmp_path / "eval").exists()


def test_a_log_folder_that_cannot_be_written(config):
    Path(config.eval_logdir).parent.mkdir()
    Path(config.eval_logdir).write_text("a file in the way")
    with pytest.raises(UserError, match=r"can't be written.*--eval_logdir"):
        evaluate(config)


def test_the_command_line_that_people_know(data_dir, tmp_path, monkeypatch, capsys):
    shutil.copytree(data_dir, tmp_path / "your_data_dir")
    Checkpoints(tmp_path / "logs" / "train", build_model("compact")).save(
        {"step": 5, "config": {"model": "compact"}}
    )
    line = "--data_dir your_data_dir --checkpoint_dir ./logs/train --eval_logdir ./logs/eval"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["eval.py", *line.split()])
    with pytest.raises(SystemExit) as exit_status:
        runpy.run_path(str(EVAL), run_name="__main__")
    assert not exit_status.value.code
    assert f"{CHECKPOINT_NAME}-5: model compact, step 5" in capsys.readouterr().out
    results = json.loads(Path("logs/eval/results.json").read_text())
    assert results["splits"]["test"]["photos"] == 10


def test_help_is_instant():
    """That is, it doesn't start TensorFlow."""
    line = (
        "import runpy, sys; sys.argv = ['eval.py', '--help']; runpy.run_path({!r}, {}, '__main__')"
    )
    program = (
        f"import atexit, sys; atexit.register(lambda: print('tensorflow' in sys.modules));"
        f"{line.format(str(EVAL), {})}"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=EVAL.parent
    )
    assert done.returncode == 0, done.stderr
    assert "--eval_logdir=DIR" in done.stdout
    assert done.stdout.splitlines()[-1] == "False"
