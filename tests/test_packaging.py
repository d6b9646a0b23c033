"""What a wheel would hold: setup.cfg names it, and nothing tells what it leaves out."""

import configparser
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = [path for path in (ROOT / "svhn").rglob("*") if path.is_file() and path.suffix != ".pyc"]


@pytest.fixture(scope="module")
def settings():
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    return settings


def test_every_module_is_in_a_package(settings):
    patterns = settings["options.packages.find"]["include"].split()
    folders = {path.parent for path in FILES if path.suffix == ".py"}
    for folder in folders:
        assert (folder / "__init__.py").is_file(), f"{folder} is no package"
        name = ".".join(folder.relative_to(ROOT).parts)
        assert any(fnmatch(name, pattern) for pattern in patterns), name


def test_every_other_file_is_package_data(settings):
    data = {
        package: [pattern.strip() for pattern in patterns.split(",")]
        for package, patterns in settings["options.package_data"].items()
    }
    others = [path for path in FILES if path.suffix != ".py"]
    assert {path.name for path in others} >= {"reader.npz", "reader_card.md", "detector.npz"}
    for path in others:
        package = ".".join(path.parent.relative_to(ROOT).parts)
        assert any(fnmatch(path.name, pattern) for pattern in data.get(package, [])), (
            f"{path.relative_to(ROOT)} would not be in a wheel: name it in setup.cfg"
        )
