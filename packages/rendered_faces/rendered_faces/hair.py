"""Hair: a cover on the map, lifted off the scalp, and a curtain that hangs from it; all measures are chosen by eye."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from rendered_faces.head import WIDTH, Head
from rendered_faces.identity import Identity
from rendered_faces.patterns import ANGLE, LEVEL, SIDE, noise, soft
from rendered_faces.rasteriser import Floats, Triangles

# Least and greatest height of the hair over the scalp, decimetres of the base mesh
_RISE: Final = {
    "bald": (0.0, 0.0), "cropped": (0.02, 0.06), "short": (0.07, 0.16), "fringe": (0.10, 0.18), "curly": (0.16, 0.38),
    "tied": (0.03, 0.08), "bob": (0.08, 0.15), "long": (0.06, 0.14),
}  # fmt: skip
_HANGING: Final = {"bob": (1.1, 1.7), "long": (2.0, 3.0)}
"""Least and greatest length of the curtain below its root, decimetres of the base mesh."""

_COLUMNS, _ROWS = 48, 14  # of the curtain's grid; between the two middle columns the face stays open
_ROOT: Final = 7.80  # level of the curtain's upper edge, on the base mesh


@dataclass(frozen=True, eq=False)
class Curtain:
    """Hanging hair: points and outward normals (n, 3); places (n, 2), radians from the front edge, share of the length."""

    points: Floats
    triangles: Triangles
    normals: Floats
    places: Floats


@dataclass(frozen=True, eq=False)
class Hair:
    """A person's hair on the map: `cover` (SIDE, SIDE), 0 to 1, and `colours` (SIDE, SIDE, 3), linear; how far it lifts
    the head's vertices along their normals, `rise` (n,), decimetres; and what hangs."""

    cover: Floats
    colours: Floats
    rise: Floats
    curtain: Curtain | None


def grow_hair(head: Head, identity: Identity, random: np.random.Generator) -> Hair:
    """Return the hair of a person's style."""
    style = identity.hairstyle
    height = float(random.uniform(*_RISE[style])) * identity.scale
    rise = _lift(head) * np.float32(height)
    if style == "curly":
        rise *= (1 + 0.06 * random.standard_normal(len(rise))).astype(np.float32)
    cover = np.zeros((SIDE, SIDE), np.float32) if style == "bald" else _cover(style, identity, random)
    curtain = None
    if style in _HANGING:
        length = float(random.uniform(*_HANGING[style])) * identity.scale
        lifted = identity.vertices + head.normals(identity.vertices) * rise[:, None]
        curtain = _hang(head, lifted, identity.scale, length, front=float(random.uniform(0.95, 1.2)))
    if style == "curly":
        depth = 0.28 * noise(random, (120, 120)) + 0.15 * noise(random, (45, 45))
    else:
        depth = 0.22 * noise(random, (6, 220)) + 0.12 * noise(random, (4, 60)) + 0.05 * noise(random, (8, 8))
    return Hair(cover, (identity.hair * np.exp(np.clip(depth, -0.8, 0.7))[..., None]) ** 2, rise, curtain)


def _cover(style: str, identity: Identity, random: np.random.Generator) -> Floats:
    """Return where the scalp is covered: everything above a hairline with loose strands."""
    peak = random.normal(7.86, 0.05) + 0.08 * identity.masculinity * identity.ageing * random.random()
    recess = random.uniform(-0.05, 0.06) + 0.25 * identity.masculinity * identity.ageing
    side, burn = random.uniform(0.80, 0.98), random.uniform(7.10, 7.45)
    if style == "fringe":
        peak, recess = random.uniform(7.56, 7.68), random.uniform(-0.05, 0.02)
    angles = (0.0, 0.35, 0.62, side, side + 0.10, side + 0.20, side + 0.30, 1.72, 1.85)
    levels = (peak, peak + 0.3 * recess, peak + recess, 7.58, burn, burn + 0.05, 7.60, 7.60, 6.5)
    line = np.interp(np.abs(ANGLE), angles, levels).astype(np.float32)
    ragged = {"fringe": 0.05, "curly": 0.03}.get(style, 0.02)
    sweep = random.normal(0, 0.10) * np.clip(1 - np.abs(ANGLE) / 0.8, 0, 1) * ANGLE  # combed to a side
    line = line + sweep + ragged * noise(random, (1, 90))
    line += 0.025 * noise(random, (1, 30)) + 0.03 * noise(random, (1, 8))
    thin = noise(random, (80, 80)) if style == "curly" else noise(random, (6, 220))
    softness = {"cropped": 0.10, "curly": 0.05}.get(style, 0.06)
    cover = np.clip((LEVEL - line) / softness + 0.45 * thin + 0.3, 0, 1)
    if style == "cropped":
        cover *= np.clip(random.uniform(0.65, 1.0) + 0.15 * noise(random, (170, 170)), 0, 1)
    return soft(cover, 0.6)


def _lift(head: Head) -> Floats:
    """Return how much of the hair's height lifts each vertex: all on the crown, none on the face and ears."""
    height, around = head.vertices[:, 1], np.abs(head.around)
    crown, sides = np.clip((height - 7.78) / 0.25, 0, 1), np.clip((around - 0.95) / 0.2, 0, 1)
    sides = sides * np.clip((height - 7.50) / 0.2, 0, 1)
    nape = np.clip((around - 1.75) / 0.2, 0, 1) * np.clip((height - 6.7) / 0.4, 0, 1)
    return np.asarray(np.maximum(np.maximum(crown, sides), nape) * head.skin, np.float32)


def _hang(head: Head, lifted: Floats, scale: float, length: float, front: float) -> Curtain:
    """Hang hair from the scalp's vertices near the root's level, from the front edge backwards on both sides."""
    half = np.linspace(front, np.pi, _COLUMNS // 2)
    angles, down = np.concatenate([-half[::-1], half]), np.linspace(0, 1, _ROWS)[:, None]
    off_level = np.abs(head.vertices[:, 1] - _ROOT)
    near = np.flatnonzero(head.skin & (off_level < 0.5))  # all round the head there is one at 0.1
    apart = np.abs(np.angle(np.exp(1j * (head.around[near] - angles[:, None]))))
    roots = lifted[near[(apart + 2 * off_level[near]).argmin(1)]]
    # the front edge lies close to the cheek; behind it hair stands off, most over the ears
    back = np.abs(angles) - front
    volume = 0.06 + 0.26 * np.clip(back / 0.45, 0, 1)
    off = scale * (volume * np.sin(np.pi * np.clip(length * down / (2.4 * scale), 0, 1)) ** 0.6 - 0.04)
    x, y, z = roots.T
    depth = z + np.cos(angles) * off
    depth += (z.mean() - depth) * 0.15 * down
    points = np.stack([x + np.sin(angles) * off, y - length * down, depth], -1)
    normals = np.stack([np.sin(angles), np.full(_COLUMNS, 0.25), np.cos(angles)], -1)
    places = np.stack(np.broadcast_arrays(back, down), -1)
    corner = np.arange(_ROWS * _COLUMNS).reshape(_ROWS, _COLUMNS)[:-1, :-1]
    corner = np.delete(corner, _COLUMNS // 2 - 1, axis=1).reshape(-1, 1)
    # to the corners of a square's two triangles
    steps = np.array([[0, _COLUMNS, 1], [1, _COLUMNS, _COLUMNS + 1]])
    return Curtain(
        points.reshape(-1, 3).astype(np.float32), np.concatenate([corner + step for step in steps]).astype(np.int32),
        np.tile(normals / np.sqrt(1.0625), (_ROWS, 1)).astype(np.float32), places.reshape(-1, 2).astype(np.float32),
    )  # fmt: skip


def curtain_cover(places: Floats, texture: Floats) -> tuple[Floats, Floats]:
    """Return colour (n, 3), linear, and opacity (n,) of hanging hair at `places` (n, 2), from its map of colours."""
    column = (places[:, 0] * 0.9 / WIDTH * SIDE).astype(int) % SIDE
    row = np.clip(places[:, 1] * SIDE / 4, 0, SIDE - 1).astype(int)
    colour = texture[row, column]
    level = colour.mean(1)
    strand = (level / (level.mean() + np.float32(1e-6)) - 1) * np.float32(0.8)
    edge = np.clip(places[:, 0] / 0.10 + strand, 0, 1)
    end = np.clip((1 - places[:, 1]) / 0.10 + strand, 0, 1)
    return colour, np.asarray(edge * end, np.float32)
