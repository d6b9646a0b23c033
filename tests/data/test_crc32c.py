import random

import pytest

from svhn.data.crc32c import crc32c


def one_bit_after_the_other(data: bytes) -> int:
    checksum = 0xFFFFFFFF
    for byte in data:
        checksum ^= byte
        for _ in range(8):
            checksum = checksum >> 1 ^ (0x82F63B78 if checksum & 1 else 0)
    return checksum ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),  # this and the next two: RFC 3720, B.4
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (b"", 0),
    ],
)
def test_published_checksums(data, expected):
    assert crc32c(data) == expected


@pytest.mark.parametrize("size", [1, 4, 255, 256, 257, 259, 511, 512, 513, 1025, 7000])
def test_agrees_with_the_definition_around_row_borders(size):
    data = random.Random(size).randbytes(size)
    assert crc32c(data) == one_bit_after_the_other(data)
    assert crc32c(bytes(size)) == one_bit_after_the_other(bytes(size))
