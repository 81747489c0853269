"""What is said in one rendered segment, and when.

Words come with their times, as the transcripts of the real data have them; silences are words, too.
"""

from dataclasses import dataclass

import numpy as np

from datamodules.mosei.sample import sentiment

_FEWEST, _MOST = 8, 20  # words, silences not counted
_PAUSE = 0.18  # share of words with a silence before them


@dataclass(frozen=True)
class Word:
    """A word or a silence; seconds from the begin of the video."""

    text: str
    start: float
    end: float

    @property
    def stressed(self) -> bool:
        """Whether it has a polarity."""
        return self.text in sentiment.POLARITY


def sentence(part: float, g: np.random.Generator) -> list[str]:
    """Words that stand for the text's part of a sentiment.

    Args:
        part: what the words are to say; the irony is in it already.
        g: draws the words.
    """
    count = int(g.integers(_FEWEST, _MOST + 1))
    words = [str(word) for word in g.choice(sentiment.PLAIN, count)]
    places = sorted(int(place) for place in g.choice(count, g.integers(3, 7), replace=False))
    turning = places[0] if g.random() < sentiment.TURN else None
    said: list[str] = []
    for place, word in enumerate(words):
        if place not in places:
            said.append(word)
        elif place == turning:
            said += [*_polar(g.normal(0, 1), g), sentiment.TURNING]
        else:
            said += _polar(sentiment.WORD_GAIN * part + g.normal(0, sentiment.WORD_NOISE), g)
    return said


def _polar(strength: float, g: np.random.Generator) -> list[str]:
    """The word that is nearest to a strength, or a negation of its opposite."""
    negated = g.random() < sentiment.NEGATION
    wanted = -strength if negated else strength
    word = min(sentiment.POLARITY, key=lambda name: abs(sentiment.POLARITY[name] - wanted))
    return [sentiment.NEGATING, word] if negated else [word]


def utter(said: list[str], start: float, g: np.random.Generator) -> list[Word]:
    """Give words their times, one after the other, with silences between some."""
    words: list[Word] = []
    now = start
    for text in said:
        if words and g.random() < _PAUSE:
            words.append(Word(sentiment.SILENCE, now, now + g.uniform(0.1, 0.4)))
            now = words[-1].end
        words.append(Word(text, now, now + 0.1 + 0.04 * len(text) + g.uniform(0, 0.12)))
        now = words[-1].end
    return words
