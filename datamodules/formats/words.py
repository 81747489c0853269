"""A text of numbers as arrays: where its words lie, and what they say.

Python's own objects would cost more than the numbers: a skeleton file has some twenty thousand
words, of which a quarter is used.
"""

from codecs import BOM_UTF8
from pathlib import Path

import numpy as np

from datamodules.packed.errors import DataError

_SPACE, _LINE_END, _POINT, _PLUS, _MINUS, _ZERO, _NINE = b" \n.+-09"
_DIGITS = 14  # so many and a point's place a float64 holds, whatever they are
_WIDTH = _DIGITS + 2  # with a sign and a point
_POWERS = np.array([float(10**power) for power in range(_WIDTH + 1)])


class Words:
    """The words of a file.

    Raises:
        DataError: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = _read(path)
        self.bytes = np.frombuffer(self.data, np.uint8)
        blank = self.bytes <= _SPACE
        edges = np.flatnonzero(blank[1:] != blank[:-1])
        edges += 1
        self.start, self.end = edges[::2], edges[1::2]

    def __len__(self) -> int:
        return len(self.start)

    def text(self, word: int) -> bytearray:
        """Return the bytes of one word."""
        return self.data[self.start[word] : self.end[word]]

    def wrong(self, word: int, expected: str) -> DataError:
        """Say what was expected in place of a word, and in which line it stands."""
        line = self.data.count(b"\n", 0, self.start[word]) + 1
        found = self.text(word).decode(errors="replace")
        return DataError(
            f"{self.path}, line {line}: expected {expected}, found {found!r}: the file is damaged; "
            "fetch it again"
        )

    def cut_off(self, expected: str) -> DataError:
        """Say what was expected where the text ends."""
        return DataError(
            f"{self.path}: expected {expected}, found the end: the file is cut off; fetch it again"
        )

    def count(self, word: int, expected: str) -> int:
        """Read one word as a whole number of at least 0."""
        if word >= len(self):
            raise self.cut_off(expected)
        text = self.text(word)
        if not text.isdigit():
            raise self.wrong(word, expected)
        return int(text)

    def check_lines(self, first: np.ndarray) -> None:
        """Refuse a text whose lines, blank ones aside, begin elsewhere than with these words.

        Args:
            first: (L,) words, in any order.
        """
        ends = np.flatnonzero(self.bytes == _LINE_END)
        begin = np.concatenate([[0], np.searchsorted(self.start, ends), [len(self)]])
        begin = begin[:-1][begin[1:] > begin[:-1]]
        expected = np.sort(first, kind="stable")  # a few ordered runs
        if not np.array_equal(begin, expected):
            both = min(len(begin), len(expected))
            wrong = np.flatnonzero(begin[:both] != expected[:both])
            line = int(wrong[0]) if len(wrong) else both
            word = min([*begin[line : line + 1].tolist(), *expected[line : line + 1].tolist()])
            raise self.wrong(word, "another line end: a line has too few or too many fields")

    def check_numbers(self) -> None:
        """Refuse a text with a word that is no number and has more than digits, signs and points.

        So `1e-3` and `nan` pass, and `--1` if it is not read.
        """
        usual = self.bytes - np.uint8(_PLUS) <= _NINE - _PLUS  # from `+` to `9`: also `,` and `/`
        usual |= self.bytes <= _SPACE
        if b"," in self.data or b"/" in self.data:
            usual &= (self.bytes != ord(",")) & (self.bytes != ord("/"))
        if not usual.all():
            words = np.searchsorted(self.start, np.flatnonzero(~usual), "right") - 1
            for word in np.unique(words).tolist():
                self._number(word)

    def numbers(self, words: np.ndarray) -> np.ndarray:
        """Read words as numbers, exactly as `float` does.

        Up to 15 digits make a whole number that is exact, and its division by a power of ten is
        rounded once, as it should be. Words of any other form are left to `float`.

        Returns:
            float64, one a word.
        """
        start, end = self.start[words], self.end[words]
        length = end - start
        width = min(int(length.max(initial=1)), _WIDTH)
        right = np.arange(width - 1, -1, -1, dtype=np.uint8)[:, None]  # columns to the right of it
        columns = self.bytes[end - 1 - right]
        inside = right < np.minimum(length, width).astype(np.uint8)
        digit = columns - np.uint8(_ZERO)  # (width, words), right-aligned
        is_digit = (digit < 10) & inside
        is_point = (columns == _POINT) & inside
        digit *= is_digit
        digits, points = is_digit.sum(0, dtype=np.uint8), is_point.sum(0, dtype=np.uint8)
        decimals = (right * is_point).sum(0, dtype=np.uint8) * (points == 1)
        value = np.zeros(len(words))  # as if the point were a further digit, a zero
        for figure in digit:
            value *= 10
            value += figure
        # so what stands before it is a place too far to the left
        shift = _POWERS[decimals + (points == 1)]
        value -= np.floor(value / shift) * (shift - _POWERS[decimals]) * points
        negative = self.bytes[start] == _MINUS
        plain = (digits + points + negative == length) & (digits > 0) & (digits <= _DIGITS)
        plain &= points < 2
        numbers = np.where(negative, -value, value) / _POWERS[np.where(plain, decimals, 0)]
        for odd in np.flatnonzero(~plain).tolist():
            numbers[odd] = self._number(int(words[odd]))
        return numbers

    def _number(self, word: int) -> float:
        try:
            return float(self.text(word))
        except ValueError as error:
            raise self.wrong(word, "a number") from error


def _read(path: Path) -> bytearray:
    """The file with a blank behind it, and before it as many as a number is wide."""
    try:
        with path.open("rb") as file:
            data = bytearray(b" ") * (_WIDTH + path.stat().st_size + 1)
            file.readinto(memoryview(data)[_WIDTH:-1])
    except OSError as error:
        raise DataError(f"{path}: expected a readable file: {error}") from error
    if data.startswith(BOM_UTF8, _WIDTH):
        data[_WIDTH : _WIDTH + len(BOM_UTF8)] = b" " * len(BOM_UTF8)
    return data
