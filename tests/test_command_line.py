import dataclasses
import subprocess
import sys

import pytest

from svhn.command_line import help_text, option, parse

PROGRAM = '''"""Does nothing much."""
import dataclasses
from svhn.command_line import option, run, warn
from svhn.errors import UserError

@dataclasses.dataclass
class Config:
    mode: str = option("What happens.", group="Run")

def main(config):
    if config.mode == "mistake":
        raise UserError("--mode=mistake: of two\\nlines. Expected: another mode")
    if config.mode == "defect":
        raise RuntimeError("a defect of the program")
    if config.mode == "interrupt":
        raise KeyboardInterrupt
    print("done")
    return 3

if __name__ == "__main__":
    run(main, Config, needs_tensorflow=False)
'''


@dataclasses.dataclass
class Config:
    data_dir: str = option("The data.", group="Data")
    splits: list[str] = option("The splits.", [], group="Data")
    steps: int | None = option("Steps.", None, group="Run", minimum=1)
    rate: float = option("Rate.", 0.5, group="Run")
    verify: bool = option("Look.", False, group="Run")
    kind: str = option("Kind.", "one", group="Run", choices=("one", "two"))
    workers: int = option("Workers.", 0, group="Data")
    without: int = option("Photos without a number.", 0, group="Data")


def test_flags_become_a_dataclass():
    command = "x --data_dir a --splits=train,extra --steps 3 --rate=2 --verify --kind two"
    assert parse(Config, command.split(), "x") == Config(
        "a", ["train", "extra"], 3, 2.0, True, "two"
    )
    assert parse(Config, ["x", "--data_dir=b"], "x") == Config("b")


def test_a_tilde_is_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    config = parse(Config, ["x", "--data_dir=~/svhn", "--splits=~/a,b~"], "x")
    assert (config.data_dir, config.splits) == ("/home/ann/svhn", ["/home/ann/a", "b~"])
    # Nobody is called so: it is a file's name.
    assert parse(Config, ["x", "--data_dir=~draft.png"], "x").data_dir == "~draft.png"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("x", ["--data_dir", "must be given"]),
        ("x --data_dir=a --steps=0", ["--steps=0"]),
        ("x --data_dir=a --kind=three", ["--kind=three", "one|two"]),
        ("x --data_dir=a --splitts=b", ["splitts", "Did you mean", "splits"]),
        ("x --data_dir=a b", ["'b'", "--flag=value"]),
        ("x --data_dir=a --rate=inf", ["--rate=inf", "finite"]),
        ("x --data_dir=a --rate=nan", ["--rate=nan", "finite"]),
    ],
)
def test_a_wrong_command_line_is_one_line(command, words, capsys):
    with pytest.raises(SystemExit) as stop:
        parse(Config, command.split(), "x")
    assert stop.value.code == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    for word in [*words, "x: error:", "x --help"]:
        assert word in printed


def test_help_is_grouped_in_the_order_of_the_dataclass():
    text = help_text(Config, "x", "About.")
    parts = ("About.", "Data:", "--data_dir", "--workers", "Run:", "--steps", "--kind")
    positions = [text.index(part) for part in parts]
    assert positions == sorted(positions)
    assert text.count("Data:") == 1
    assert "(must be given)" in text
    assert "One of: one, two. (default: one)" in text
    assert "--data_dir=DIR" in text and "--without=N" in text


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("program") / "program.py"
    path.write_text(PROGRAM)
    return str(path)


@pytest.mark.parametrize(
    ("arguments", "status", "out", "err"),
    [
        ("--mode=work", 3, "done\n", ""),
        (
            "--mode=mistake",
            1,
            "",
            "program.py: error: --mode=mistake: of two lines. Expected: another mode\n",
        ),
        ("--mode=interrupt", 130, "", "program.py: stopped by Ctrl-C\n"),
    ],
)
def test_how_a_program_ends(program, arguments, status, out, err):
    done = subprocess.run(
        [sys.executable, program, arguments], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (status, out, err)


def test_ctrl_c_while_tensorflow_starts_is_one_line(tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise KeyboardInterrupt\n")
    impatient = tmp_path / "impatient.py"
    impatient.write_text(PROGRAM.replace(", needs_tensorflow=False", ""))
    done = subprocess.run(
        [sys.executable, impatient, "--mode=work"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "impatient.py: stopped by Ctrl-C\n"


def test_a_defect_keeps_its_traceback_and_help_says_what_the_program_does(program):
    done = subprocess.run(
        [sys.executable, program, "--mode=defect"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "a defect of the program" in done.stderr
    done = subprocess.run([sys.executable, program, "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.startswith("Does nothing much.")
