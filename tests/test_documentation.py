"""What README, docs, cards and Makefile say can be done: commands, flags, links and pictures."""

import ast
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import warnings
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path

import pytest

from svhn import command_line

ROOT = Path(__file__).resolve().parents[1]

PAGES = [
    path
    for pattern in ("README.md", "docs/*.md", "benchmarks/*.md", "svhn/released/*.md")
    for path in sorted(ROOT.glob(pattern))
]

COMMAND = re.compile(r"(?:^|[\s/])python (-m [\w.]+|[\w/]+\.py)(?![\w/])([^#&;|\n]*)")

OTHERS = {"-m pip", "-m venv"}
"""Programs that are not ours."""

OTHERS_FLAGS = {"help", "logdir"}
"""What every program knows, and TensorBoard's."""


def name(path):
    return str(path.relative_to(ROOT))


def blocks(page):
    """The lines of a page's code blocks, continued ones as one line."""
    text = page.read_text("utf-8")
    fenced = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    indented = "\n".join(re.findall(r"^ {4}.*", text, re.MULTILINE))
    return re.sub(r"\\\n\s*", "", f"{fenced}\n{indented}").splitlines()


def spans(page):
    """What stands between single backticks, line breaks as spaces."""
    paragraphs = re.split(r"\n\s*\n", page.read_text("utf-8"))
    return [
        " ".join(span.split())
        for paragraph in paragraphs
        if not paragraph.startswith(("    ", "```"))
        for span in re.findall(r"`([^`]+)`", paragraph)
    ]


@cache
def config_class(program):
    """The dataclass of a program's flags: what it hands to `command_line.run`."""
    taken = []
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        # A module that another test has imported is run anew.
        warnings.simplefilter("ignore", RuntimeWarning)
        patch.setattr(command_line, "run", lambda main, config, *_, **__: taken.append(config))
        if program.startswith("-m "):
            runpy.run_module(program.removeprefix("-m "), run_name="__main__")
        else:
            path = ROOT / program
            assert path.is_file(), f"python {program}: there is no such program"
            patch.setattr(sys, "path", [str(path.parent), *sys.path])
            runpy.run_path(str(path), run_name="__main__")
    return taken[0]


def check_command(program, arguments, *, is_whole, capsys):
    """Parses a command as its program does; `is_whole`: with all flags that it must have."""
    config = config_class(program)
    arguments = shlex.split(arguments.replace("…", " "))
    if not is_whole:
        must = [field.name for field in fields(config) if field.default is MISSING]
        must = [flag for flag in must if f"--{flag}" not in " ".join(arguments)]
        arguments += [f"--{flag}=x" for flag in must]
    try:
        command_line.parse(config, [program, *arguments], program)
    except SystemExit as error:
        assert error.code == 0, f"python {program}: {capsys.readouterr().err}"  # --help


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_of_a_page_has_flags_that_its_program_knows(page, capsys):
    for line in blocks(page):
        for program, arguments in COMMAND.findall(line):
            whole = "…" not in arguments
            check_command(program, arguments, is_whole=whole, capsys=capsys)
    for span in spans(page):
        for program, arguments in COMMAND.findall(span):
            check_command(program, arguments, is_whole=False, capsys=capsys)


def docstring_commands():
    """The commands that stand in lines of their own in modules' docstrings."""
    for pattern in ("*.py", "svhn/**/*.py", "benchmarks/*.py", "recipes/*.py"):
        for path in sorted(ROOT.glob(pattern)):
            text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
            text = re.sub(r"\n +(?=\[?--)", " ", text)  # a flag goes on with the line before
            for line in re.findall(r"^ *python .*", text, re.MULTILINE):
                yield from COMMAND.findall(line)


def test_every_command_of_a_docstring_has_flags_that_its_program_knows(capsys):
    commands = [command for command in docstring_commands() if "PROGRAM" not in command[1]]
    assert len(commands) > 20
    for program, arguments in commands:
        # "[--flag=N]" may be left out; "[the flags of train.py]" are words.
        arguments = re.sub(r"\[(?!--)[^\]]*\]|[\[\]]", " ", arguments.replace("=N", "=1000"))
        check_command(program, arguments, is_whole=True, capsys=capsys)


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
@pytest.mark.parametrize("goal", ["demo", "bench", "release SVHN=photos UNLABELLED=others"])
def test_every_command_of_the_makefile_has_flags_that_its_program_knows(goal, capsys):
    line = ["make", "--dry-run", *goal.split(), "PEER=a", "PEER_PYTORCH=b", "PEER_PYTHON=c"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    ours = [command for command in COMMAND.findall(done.stdout) if command[0] not in OTHERS]
    assert ours
    for program, arguments in ours:
        check_command(program, arguments, is_whole=True, capsys=capsys)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_goal_of_make_is_in_the_makefile(page):
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for text in [*blocks(page), *spans(page)]:
        for call in re.findall(r"^\s*make ([^#]*)", text):
            goals = [word for word in call.split() if "=" not in word]
            variables = [word.partition("=")[0] for word in call.split() if "=" in word]
            for goal in goals:
                assert re.search(rf"^{goal}:", makefile, re.MULTILINE), text
            for variable in variables:
                assert f"$({variable})" in makefile, text


def test_every_flag_that_is_told_of_is_one_of_some_program():
    known = set(OTHERS_FLAGS)
    for page in PAGES:
        for text in [*blocks(page), *spans(page)]:
            for program, _ in COMMAND.findall(text):
                known |= {field.name for field in fields(config_class(program))}
    for page in PAGES:
        for span in spans(page):
            for flag in re.findall(r"(?<![\w-])--(?:no)?([a-z][\w-]*)", span):
                assert flag in known or f"no{flag}" in known, f"{name(page)}: {span}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_pictures_and_files_are_there(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if re.match(r"https?:", target):
            continue
        file, _, heading = target.partition("#")
        file = page.parent / file if file else page
        assert file.exists(), f"{name(page)}: {target}"
        assert not heading or heading in headings(file), f"{name(page)}: {target}"
    for span in spans(page):
        if re.fullmatch(r"(svhn|docs|tests|benchmarks|recipes)/[\w/.]+\.\w+", span):
            assert (ROOT / span).exists(), f"{name(page)}: {span}"


def headings(page):
    """The anchors that GitHub gives to a page's headings."""
    titles = re.findall(r"^#+ (.*)", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
