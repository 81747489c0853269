"""One rendered video: a person who says some segments, with a face and a voice.

Legend: W words and silences, F frames, S pieces of sound, L segments with a label.
"""

from dataclasses import dataclass

import numpy as np

from datamodules.mosei.sample import sentiment
from datamodules.mosei.sample.speech import Word, sentence, utter

FACE_RATE, VOICE_RATE = 4, 8  # a second; the real ones are 30 and 100
_FEWEST, _MOST = 2, 6  # segments
# FACET 4.2 has 10 emotions, 20 action units, glasses, sex and pose, in this order
# fmt: off
_FACET = [
    "anger", "contempt", "disgust", "joy", "fear", "baseline", "sadness", "surprise", "confusion",
    "frustration", "AU1", "AU2", "AU4", "AU5", "AU6", "AU7", "AU9", "AU10", "AU12", "AU14",
    "AU15", "AU17", "AU18", "AU20", "AU23", "AU24", "AU25", "AU26", "AU28", "AU43", "glasses",
    "male", "pitch", "yaw", "roll",
]
# fmt: on
VISUAL, AUDIO = len(_FACET), 74
# how much each part of an expression shows in a column
_SHOWN = {
    "pleased": {
        "joy": 1.0,
        "AU6": 0.7,
        "AU12": 1.0,
        "AU25": 0.3,
        "baseline": -0.4,
        "sadness": -0.3,
    },
    "displeased": {
        **{"anger": 0.6, "disgust": 0.5, "sadness": 0.6, "frustration": 0.7, "AU4": 0.9},
        **{"AU15": 0.8, "AU17": 0.5, "AU7": 0.3, "baseline": -0.4, "joy": -0.3},
    },
    "smirk": {"contempt": 1.0, "AU14": 1.0, "AU12": 0.3, "roll": 0.4},
    "talk": {"AU25": 0.8, "AU26": 0.7, "AU18": 0.3},
}
_TONES = ("lively", "drawl", "loud")
# A voice shows its tones all over its spectrum; which column shows how much is drawn once for all.
_HEARD = np.random.default_rng(74).normal(0, 0.35, (len(_TONES), AUDIO)).astype(np.float32)
_ENERGY = 11  # the column whose logarithm is -inf where there is no sound


@dataclass(frozen=True)
class Stream:
    """Features (N, D) and their intervals (N, 2) in seconds."""

    features: np.ndarray
    intervals: np.ndarray


@dataclass(frozen=True)
class Video:
    """The four streams of a video."""

    words: Stream  # (W, 1) bytes
    visual: Stream  # (F, 35)
    audio: Stream  # (S, 74)
    labels: Stream  # (L, 7) sentiment, then six emotions


@dataclass(frozen=True)
class _Segment:
    parts: dict[str, float]  # of the sentiment, by modality
    ironic: bool
    words: list[Word]

    @property
    def interval(self) -> tuple[float, float]:
        return self.words[0].start, self.words[-1].end


def render_video(number: int, seed: int, *, hidden_face: bool = False) -> Video:
    """Render one video; the same number and seed always give the same.

    Args:
        number: of the video.
        seed: of the whole rendering.
        hidden_face: leave all frames of the first segment out.
    """
    g = np.random.default_rng((seed, number))
    segments: list[_Segment] = []
    words: list[Word] = []
    now = 0.0
    for _ in range(g.integers(_FEWEST, _MOST + 1)):
        words.append(Word(sentiment.SILENCE, now, now + g.uniform(0.4, 1.2)))
        segments.append(_segment(words[-1].end, g))
        words += segments[-1].words
        now = words[-1].end
    visual, audio = _face(segments, now, g), _voice(segments, words, now, g)
    if hidden_face:
        start, end = segments[0].interval
        seen = (visual.intervals[:, 1] < start) | (visual.intervals[:, 0] > end)
        visual = Stream(visual.features[seen], visual.intervals[seen])
    order = g.permutation(len(segments))  # the real labels are not in the order of time, either
    labels = np.array([_label(segment, g) for segment in segments], np.float32)[order]
    times = np.array([segment.interval for segment in segments], np.float32)[order]
    texts = np.array([[word.text.encode()] for word in words], "S32")
    spoken = np.array([(word.start, word.end) for word in words], np.float32)
    return Video(Stream(texts, spoken), visual, audio, Stream(labels, times))


def _segment(start: float, g: np.random.Generator) -> _Segment:
    common = g.normal(0, sentiment.COMMON)
    parts = {name: common + g.normal(0, spread) for name, spread in sentiment.OWN.items()}
    ironic = bool(g.random() < sentiment.IRONY)
    said = sentence(-parts["text"] if ironic else parts["text"], g)
    return _Segment(parts, ironic, utter(said, start, g))


def _label(segment: _Segment, g: np.random.Generator) -> list[float]:
    """Sentiment and six emotions, each the mean of a few people's whole numbers."""
    felt = sentiment.MEAN + sum(segment.parts.values())
    means = [felt, max(felt, 0), *(max(-felt, 0) * g.dirichlet([2, 2, 1, 1])), 0.2 * abs(felt)]
    ratings = np.rint(g.normal(means, sentiment.DISAGREEMENT, (sentiment.ANNOTATORS, 7)))
    least = np.array([-3, 0, 0, 0, 0, 0, 0])
    value, happy, sad, anger, disgust, fear, surprise = ratings.clip(least, 3).mean(0)
    return [value, happy, sad, anger, surprise, disgust, fear]


def _clock(end: float, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Middle (N,) and interval (N, 2) of every frame of a video."""
    starts = np.arange(int(np.ceil(end * rate))) / rate
    intervals = np.stack([starts, starts + 1 / rate], 1).astype(np.float32)
    return starts + 0.5 / rate, intervals


def _face(segments: list[_Segment], end: float, g: np.random.Generator) -> Stream:
    """The face comes to what it means in the course of a segment."""
    time, intervals = _clock(end, FACE_RATE)
    rest = g.normal(0, sentiment.FACE_OF_PERSON, VISUAL)
    valence, smirk, talk = (np.zeros(len(time)) for _ in range(3))
    for segment in segments:
        start, stop = segment.interval
        inside = (time >= start) & (time <= stop)
        onset, rise = start + (stop - start) * g.uniform(0, 0.4), g.uniform(0.3, 1.0)
        level = np.clip((time[inside] - onset) / rise, 0, 1)
        shown = segment.parts["visual"] + g.normal(0, sentiment.FACE_OF_SEGMENT)
        valence[inside] = level * shown * 2
        smirk[inside] = level * (segment.ironic * g.uniform(0.8, 1.6) + g.normal(0, 0.25))
        talk[inside] = g.random(inside.sum())
    parts = {
        "pleased": np.maximum(valence, 0),
        "displeased": np.maximum(-valence, 0),
        "smirk": smirk,
        "talk": talk,
    }
    loads = np.array([[_SHOWN[p].get(column, 0.0) for column in _FACET] for p in parts])
    frames = rest + np.stack(list(parts.values()), 1) @ loads
    frames += g.normal(0, sentiment.FACE_OF_FRAME, frames.shape)
    frames[g.random(len(frames)) < sentiment.LOST_FACES] = 0
    return Stream(frames.astype(np.float32), intervals)


def _voice(
    segments: list[_Segment], words: list[Word], end: float, g: np.random.Generator
) -> Stream:
    """The voice means most on the words that are stressed."""
    time, intervals = _clock(end, VOICE_RATE)
    rest = g.normal(0, sentiment.VOICE_OF_PERSON, AUDIO)
    tones = np.zeros((len(time), len(_TONES)))
    for segment in segments:
        start, stop = segment.interval
        inside = (time >= start) & (time <= stop)
        heard = segment.parts["audio"] + g.normal(0, sentiment.VOICE_OF_SEGMENT)
        drawl = segment.ironic * g.uniform(0.8, 1.6) + g.normal(0, 0.25)
        tones[inside, :2] = heard * 1.6, drawl
        tones[inside, 2] = g.normal(0, 0.5)
    for word in words:
        inside = (time >= word.start) & (time <= word.end)
        tones[inside] *= sentiment.STRESS if word.stressed else word.text != sentiment.SILENCE
    frames = rest + tones @ _HEARD + g.normal(0, sentiment.VOICE_OF_FRAME, (len(time), AUDIO))
    silent = ~tones.any(1)
    frames[silent & (g.random(len(time)) < sentiment.INFINITE), _ENERGY] = -np.inf
    frames[silent & (g.random(len(time)) < sentiment.MISSING)] = np.nan
    return Stream(frames.astype(np.float32), intervals)
