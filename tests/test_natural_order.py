from pathlib import Path

from svhn.natural_order import natural_key


def test_numbers_are_compared_as_numbers():
    names = ["b10.png", "b9.PNG", "10.png", "2.png", "a.png", "B1.png", "1.png"]
    assert sorted(names, key=natural_key) == [
        *("1.png", "2.png", "10.png", "a.png", "B1.png", "b9.PNG", "b10.png")
    ]


def test_folders_come_one_after_the_other():
    names = ["a10/1.png", "a2/10.png", "a2/b/1.png", "a2/2.png", "a2-3/1.png", "9.png"]
    assert sorted(map(Path, names), key=natural_key) == [
        *map(Path, ("9.png", "a2/2.png", "a2/10.png", "a2/b/1.png", "a2-3/1.png", "a10/1.png"))
    ]


def test_names_that_count_alike_have_one_order():
    for names in (["a1.png", "A1.png", "a01.png"], ["a01.png", "A1.png", "a1.png"]):
        assert sorted(names, key=natural_key) == ["A1.png", "a01.png", "a1.png"]
