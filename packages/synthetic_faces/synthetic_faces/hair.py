"""Hair on the skull and over the forehead: its edges, its strands, its sheen. Drawn by eye."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from synthetic_faces.canvas import Canvas, Floats, Layer, Mask, soften
from synthetic_faces.geometry import Face
from synthetic_faces.identity import Identity
from synthetic_faces.lighting import Light


@dataclass(frozen=True)
class Cut:
    """What sets one hairstyle apart, in face coordinates."""

    volume: float  # above the skull
    bottom: float  # y of its lower ends at the temples
    parting: float  # x from which strands fall
    softness: float  # blur of its edge, reference pixels
    curl: float = 0.0


CUTS: Final = {
    "cropped": Cut(0.05, -0.22, 0.1, 3.0),
    "swept": Cut(0.12, -0.22, -0.35, 1.4),
    "fringe": Cut(0.13, -0.10, 0.0, 1.4),
    "long": Cut(0.14, 0.50, 0.3, 1.4),
    "curly": Cut(0.26, 0.0, 0.1, 3.0, curl=0.06),
    "tied": Cut(0.04, -0.22, 0.0, 1.4),
}
_LOCKS: Final = 9  # across the forehead
_STRANDS: Final = 90
_LEVELS: Final = 9  # shades of strands; each is drawn by one call


def paint_hair(canvas: Canvas, identity: Identity, face: Face, light: Light) -> None:
    """Paint the hair on the skull and over the forehead, strand by strand, with its shadow."""
    random = np.random.default_rng(identity.texture_seed)
    outer = _silhouette(identity, face, random)
    hairline = _hairline(identity, face, random)
    hair = canvas.polygon(np.concatenate([hairline, outer[::-1]]), CUTS[identity.hairstyle].softness)
    _cast_on_forehead(canvas, hair)
    canvas.cover(hair, _strands(canvas, hair, identity, face, light, random))


def _silhouette(identity: Identity, face: Face, random: np.random.Generator) -> Floats:
    """The outer edge from the left temple over the crown to the right temple."""
    turn = np.linspace(np.pi, 0, 64)
    cut = CUTS[identity.hairstyle]
    rough = 0.035 if cut.curl else 0.008
    wave = 1 + rough * (np.sin(17 * turn + random.uniform(0, 6)) + np.sin(29 * turn + random.uniform(0, 6)))
    fuller = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.7  # than an ellipse: it must hide the temples
    x = (face.half_width * 1.01 + 0.6 * cut.volume) * fuller * wave
    y = cut.bottom + (face.top - cut.volume - cut.bottom) * np.sin(turn) ** 0.85 * wave
    return np.stack([x, y], 1).astype(np.float32)


def _hairline(identity: Identity, face: Face, random: np.random.Generator) -> Floats:
    """The inner edge from the left temple over the forehead to the right temple."""
    across = np.linspace(-1, 1, 49)
    base = identity.grown(-0.98, -0.94)
    locks = np.interp(across, np.linspace(-1, 1, 2 * _LOCKS + 1), random.uniform(-1, 1, 2 * _LOCKS + 1))
    parting = float(random.choice((-0.35, 0.35)))
    away = across - parting
    side = np.abs(across) ** 5
    lines = {
        "cropped": base + 0.015 * locks - 0.05 * np.cos(3 * np.pi * across) * (1 - side) + 0.72 * side,
        "swept": base + 0.02 * locks + 0.26 * np.clip(np.abs(away) - 0.1, 0, 1) ** 1.3 * (away * parting < 0) + 0.70 * side,
        "fringe": base + 0.35 + 0.04 * locks + 0.05 * across**2 + 0.40 * side,
        "long": base - 0.06 + 0.44 * np.clip(np.abs(away), 0, 1.2) ** 1.5 + 0.95 * side,
        "curly": base + 0.02 + 0.03 * locks + 0.85 * side,
        "tied": base - 0.02 + 0.16 * across**2 + 0.55 * side,
    }  # fmt: skip
    y = lines[identity.hairstyle]
    width = np.minimum(face.half_width * 1.01, 1.2) * across
    return np.stack([width, y], 1).astype(np.float32)


def _cast_on_forehead(canvas: Canvas, hair: Layer) -> None:
    shadow = soften(hair.mask, 3.5 * canvas.scale)
    down = min(round(4 * canvas.scale), canvas.size - hair.mask.shape[0] - hair.top)
    moved = Layer(shadow, hair.left, hair.top + max(0, down))
    canvas.paint(moved, (0.05, 0.0, 0.0), 0.16)


def _strands(
    canvas: Canvas, hair: Layer, identity: Identity, face: Face, light: Light, random: np.random.Generator
) -> Floats:
    """Return the hair's colour over its box: strands running from the crown, and a band of sheen."""
    window = Canvas(canvas.size, np.empty((*hair.mask.shape, 3), np.float32), hair.mask, hair.left, hair.top)
    tone: Mask = np.full(hair.mask.shape, 128, np.uint8)
    paths = _strand_paths(identity, face, random)
    fixed = window.local(paths).reshape(_STRANDS, -1, 1, 2)
    width = max(1, round(2.2 * canvas.scale))
    for k, level in enumerate(random.permutation(np.linspace(84, 172, _LEVELS)).tolist()):
        cv2.polylines(tone, list(fixed[k::_LEVELS]), False, level, width, cv2.LINE_AA, 4)
    tone = cv2.GaussianBlur(tone, (0, 0), max(0.4, 0.9 * canvas.scale))
    radius = (face.top - window.y[:, None]) / face.top + 0.12 * (
        window.x[None] - 0.4 * light.direction[0]
    ) ** 2
    sheen = 0.35 * np.exp(-(((radius - 0.16) / 0.09) ** 2))
    lit = light.brightness * (0.80 + sheen) * (tone.astype(np.float32) / 128)
    return cv2.merge([lit * share + 0.06 * sheen for share in identity.hair])


def _strand_paths(identity: Identity, face: Face, random: np.random.Generator) -> Floats:
    """Return the paths (90, 6, 2) of strands, from a crown or parting outwards and down, in random order."""
    cut = CUTS[identity.hairstyle]
    end = random.permutation(np.linspace(-1.25, 1.25, _STRANDS))[:, None]
    down = np.linspace(0, 1, 6)
    x = cut.parting + (end - cut.parting) * np.sin(down * np.pi / 2) + cut.curl * np.sin(14 * down + 9 * end)
    fall = (1.3 + 0.25 * np.abs(end)) * down ** (2.2 - 0.8 * np.minimum(np.abs(end), 1.2))
    return np.stack([x, face.top - cut.volume + fall], 2)
