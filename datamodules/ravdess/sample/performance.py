"""One rendered clip: an actor says a statement with an emotion.

Legend: T frames, S samples of sound.
"""

from dataclasses import dataclass

import numpy as np

from datamodules.formats.openface import ACTION_UNITS
from datamodules.formats.ravdess_name import EMOTIONS, ClipName
from datamodules.ravdess.sample import emotions
from datamodules.ravdess.sample.drawing import HEIGHT, WIDTH, cover, draw_face
from datamodules.ravdess.sample.face import Look, landmarks, place
from datamodules.ravdess.sample.voice import RATE, STATEMENTS, Speaker, speak
from datamodules.rendering.camera import blur, expose

FPS, FRAMES = 8, 24
SECONDS = FRAMES / FPS
_FACE = 25.0  # pixels of half a face's width
# action unit -> how much it rises with each part of `Expression`
_UNITS = {
    "AU01": {"brow_raise": 1.5, "brow_inner": 2.5},
    "AU02": {"brow_raise": 3.0},
    "AU04": {"brow_lower": 3.0, "brow_inner": 0.8},
    "AU05": {"eye_open": 2.5},
    "AU06": {"lip_corner": 2.0, "eye_open": -1.0},
    "AU07": {"eye_open": -1.5, "brow_lower": 1.2},
    "AU09": {"upper_lip": 3.0},
    "AU10": {"upper_lip": 2.5, "lip_corner": 0.5},
    "AU12": {"lip_corner": 3.0},
    "AU14": {"lip_corner": 1.0, "lip_stretch": 0.8},
    "AU15": {"lip_corner": -3.0},
    "AU17": {"lip_corner": -1.5},
    "AU20": {"lip_stretch": 3.0},
    "AU23": {"brow_lower": 0.8, "mouth_open": -1.0},
    "AU25": {"mouth_open": 3.0},
    "AU26": {"mouth_open": 2.5},
}


@dataclass(frozen=True)
class Actor:
    """Everything that stays the same in all clips of one actor."""

    look: Look
    speaker: Speaker
    expressiveness: float
    expression: np.ndarray  # (8,) the face at rest
    tone: np.ndarray  # (7,) the habit of speaking


@dataclass(frozen=True)
class Performance:
    """One clip, ready to be written."""

    images: np.ndarray  # (T, H, W, 3) uint8 RGB
    points: np.ndarray  # (T, 68, 2) what a tracker finds, in pixels
    confidence: np.ndarray  # (T,)
    action_units: np.ndarray  # (T, 35)
    samples: np.ndarray  # (S,) float32


def cast(number: int, seed: int) -> Actor:
    """Actor 1 to 24: odd numbers are men, even ones women, as in RAVDESS."""
    g = np.random.default_rng((seed, number))
    woman = number % 2 == 0
    skin = np.array([225.0, 185.0, 160.0]) * g.uniform(0.65, 1.0)
    look = Look(
        length=g.uniform(1.15, 1.35),
        brow_height=g.uniform(0.48, 0.54),
        brow_weight=g.uniform(0.1, 0.13) * (0.9 if woman else 1.1),
        eye_size=g.uniform(0.92, 1.08),
        mouth_width=g.uniform(0.38, 0.44),
        mouth_height=g.uniform(0.63, 0.67),
        skin=_colour(skin * g.normal(1, 0.03, 3)),
        hair=_colour(np.array([70, 50, 40]) * g.uniform(0.4, 1.4)),
        lips=_colour(skin * (0.82, 0.45, 0.5) if woman else skin * (0.8, 0.52, 0.52)),
        background=_colour(235 * g.uniform(0.85, 1.0, 3)),
    )
    speaker = Speaker(
        pitch=(205.0 if woman else 118.0) * 2 ** (g.normal(0, 2) / 12),
        tract=(1.13 if woman else 1.0) * g.normal(1, 0.03),
    )
    return Actor(
        look,
        speaker,
        expressiveness=g.uniform(0.8, 1.15),
        expression=g.normal(0, emotions.FACE_OF_ACTOR, 8),
        tone=g.normal(0, emotions.VOICE_OF_ACTOR, 7) * emotions.TONE_SPREAD,
    )


def perform(name: ClipName, seed: int) -> Performance:
    """Render one clip; the same name and seed always give the same."""
    actor = cast(name.actor, seed)
    g = np.random.default_rng((seed, name.actor, name.emotion, name.statement, name.repetition))
    emotion = EMOTIONS[name.label]
    strength = actor.expressiveness * g.uniform(*emotions.STRENGTH)
    spoilt = g.random()
    spoilt_face = spoilt < emotions.CORRUPTED_FACES
    spoilt_voice = not spoilt_face and spoilt < emotions.CORRUPTED_FACES + emotions.CORRUPTED_VOICES
    samples, jaw = _voice(actor, emotion, strength, STATEMENTS[name.statement - 1], g)
    face = emotions.FACES[emotion].array() * strength + actor.expression
    face = face + g.normal(0, emotions.FACE_OF_CLIP, 8)
    expression = _course(face, actor.expression, jaw, g)
    images, points = _film(actor.look, expression, spoilt_face, g)
    return Performance(
        images,
        *_track(points, expression, spoilt_face, g),
        samples=_record(samples, spoilt_voice, g),
    )


def _colour(values: np.ndarray) -> tuple[float, float, float]:
    red, green, blue = np.clip(values, 0, 255).tolist()
    return red, green, blue


def _voice(
    actor: Actor, emotion: str, strength: float, vowels: str, g: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    rest = emotions.VOICES["neutral"].array()
    tone = rest + strength * (emotions.VOICES[emotion].array() - rest) + actor.tone
    tone = tone + g.normal(0, emotions.VOICE_OF_CLIP, 7) * emotions.TONE_SPREAD
    tone[1], tone[4], tone[6] = max(tone[1], 0), np.clip(tone[4], 2.9, 6), np.clip(tone[6], 0, 0.8)
    start = g.uniform(0.45, 0.7)
    return speak(actor.speaker, tone, vowels, seconds=SECONDS, start=start, generator=g)


def _course(
    face: np.ndarray, rest: np.ndarray, jaw: np.ndarray, g: np.random.Generator
) -> np.ndarray:
    """The expression at each frame, (T, 8): it comes, stays and fades, and the mouth speaks."""
    time = np.arange(FRAMES) / FPS
    onset, rise, fade = g.uniform(0.1, 0.6), g.uniform(0.25, 0.6), g.uniform(0.0, 0.25)
    level = np.clip((time - onset) / rise, 0, 1) * (1 - fade * np.clip(time / SECONDS, 0, 1))
    wander = np.cumsum(g.normal(0, 0.03, (FRAMES, 8)), 0)
    expression = rest + level[:, None] * (face - rest) + wander
    expression[:, 5] += 0.4 * jaw[(time * RATE).astype(int)]
    blink = g.integers(FRAMES)
    expression[blink, 3] = -1.1
    return expression


def _film(
    look: Look, expression: np.ndarray, spoilt: bool, g: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    drift = np.cumsum(g.normal(0, 0.35, (FRAMES, 2)), 0)
    centre = np.array([WIDTH / 2, HEIGHT * 0.47]) + g.normal(0, (6, 1.5)) + np.clip(drift, -4, 4)
    angle = g.normal(0, 0.05) + np.clip(np.cumsum(g.normal(0, 0.012, FRAMES)), -0.1, 0.1)
    points = place(landmarks(look, expression), centre, angle, _FACE * g.uniform(0.92, 1.08))
    folds = np.clip(expression[:, 7] + np.maximum(expression[:, 4], 0) * 0.5, 0, 1)
    images = np.stack([draw_face(look, p, f) for p, f in zip(points, folds, strict=True)])
    images = expose(images, g.uniform(0.88, 1.08), g.uniform(2, 5), g)
    if spoilt and g.random() < 0.5:
        colour, edges = g.uniform(40, 200, 3), g.uniform(-0.08, 0.12, (2, 2))
        images = np.stack([cover(i, p, colour, edges) for i, p in zip(images, points, strict=True)])
    elif spoilt:
        radius = g.uniform(5, 8)
        images = np.stack([blur(image, radius) for image in images])
    return images, points


def _track(
    points: np.ndarray, expression: np.ndarray, spoilt: bool, g: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a tracker makes of it: landmarks, confidence and action units, each with errors."""
    found = points + g.normal(0, 2.0 if spoilt else 0.3, points.shape)
    confidence = g.uniform(0.2, 0.6, FRAMES) if spoilt else g.uniform(0.9, 0.98, FRAMES)
    units = _action_units(expression * (0.1 if spoilt else 1.0), g)
    if spoilt:
        lost = g.random(FRAMES) < 0.25
        confidence[lost], found[lost], units[lost] = 0, 0, 0
    return found, confidence, units


def _action_units(expression: np.ndarray, g: np.random.Generator) -> np.ndarray:
    """(T, 35): intensities 0 to 5, then presences."""
    parts = list(emotions.Expression.__dataclass_fields__)
    units = []
    for name in ACTION_UNITS:
        weights = np.array([_UNITS.get(name[:4], {}).get(part, 0.0) for part in parts])
        offset = g.normal(0, 0.8)
        value = expression @ weights + offset + g.normal(0, 0.2, FRAMES)
        units.append(np.clip(value, 0, 5) if name.endswith("_r") else (value > 0.8) * 1.0)
    return np.stack(units, 1)


def _record(samples: np.ndarray, spoilt: bool, g: np.random.Generator) -> np.ndarray:
    """The microphone: room noise, and where it is spoilt a loud noise or next to no voice."""
    noise = g.standard_normal(len(samples), dtype=np.float32)
    floor = 10 ** (g.uniform(-66, -58) / 20)
    if spoilt and g.random() < 0.5:
        floor = 10 ** (g.uniform(-22, -14) / 20)
    elif spoilt:
        samples = samples * 10 ** (-40 / 20)
    return np.clip(samples + noise * np.float32(floor), -1, 1).astype(np.float32)
