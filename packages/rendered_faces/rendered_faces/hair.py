"""Hair: a cover painted on the map and lifted off the scalp, and, where it is worn long, a curtain that hangs from it."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from rendered_faces.head import HEIGHT, LEFT_EDGE, WIDTH, Head
from rendered_faces.identity import Identity, dyed
from rendered_faces.patterns import ANGLE, LEVEL, SIDE, noise
from rendered_faces.rasteriser import Floats

# Least and greatest height of the hair over the scalp, decimetres of the base mesh
_RISE: Final = {
    "bald": (0.0, 0.0), "cropped": (0.02, 0.06), "short": (0.07, 0.16), "fringe": (0.10, 0.18), "curly": (0.16, 0.38),
    "tied": (0.03, 0.08), "bob": (0.08, 0.15), "long": (0.06, 0.14), "covered": (0.08, 0.16),
}  # fmt: skip
_HANGING: Final = {"bob": (1.1, 1.7), "long": (2.0, 3.0), "covered": (2.2, 2.6)}
"""Least and greatest length of the curtain below its root, decimetres of the base mesh."""

_COLUMNS, _ROWS = 48, 14  # of the curtain's grid
_ROOT: Final = 7.80  # level of the curtain's upper edge, on the base mesh


@dataclass(frozen=True, eq=False)
class Curtain:
    """Hanging hair as a mesh: points (n, 3), outward normals (n, 3), and places (n, 2).

    The first place is the way back from the front edge, radians; the second the way down, 0 at the root to 1.
    """

    points: Floats
    triangles: npt.NDArray[np.int32]
    normals: Floats
    places: Floats


@dataclass(frozen=True, eq=False)
class Hair:
    """A person's hair: `cover` (SIDE, SIDE), 0 to 1, on the map; its `colours` (SIDE, SIDE, 3), linear; what hangs.

    `rise` (vertices,) is how far it lifts the head's vertices along their normals, decimetres.
    """

    cover: Floats
    colours: Floats
    rise: Floats
    curtain: Curtain | None


def grow_hair(head: Head, identity: Identity, random: np.random.Generator) -> Hair:
    """Return the hair of a person's style."""
    style = identity.hairstyle
    height = float(random.uniform(*_RISE[style])) * identity.scale
    colours = _cloth(random) if style == "covered" else _strands(identity, random)
    rise = _lift(head) * np.float32(height)
    if style == "curly":
        rise *= (1 + 0.06 * random.standard_normal(len(rise))).astype(np.float32)
    cover = np.zeros((SIDE, SIDE), np.float32) if style == "bald" else _cover(style, identity, random)
    curtain = None
    if style in _HANGING:
        length = float(random.uniform(*_HANGING[style])) * identity.scale
        front = float(random.uniform(0.95, 1.2)) if style != "covered" else 0.92
        curtain = _hang(
            head, identity.vertices + head.normals(identity.vertices) * rise[:, None], identity, length, front
        )
    return Hair(cover, colours, rise, curtain)


def _strands(identity: Identity, random: np.random.Generator) -> Floats:
    if identity.hairstyle == "curly":
        depth = 0.28 * noise(random, (120, 120)) + 0.15 * noise(random, (45, 45))
    else:
        depth = 0.22 * noise(random, (6, 220)) + 0.12 * noise(random, (4, 60)) + 0.05 * noise(random, (8, 8))
    return (identity.hair * np.exp(np.clip(depth, -0.8, 0.7))[..., None]) ** 2


def _cloth(random: np.random.Generator) -> Floats:
    folds = 0.06 * noise(random, (20, 20)) + 0.08 * noise(random, (6, 60))
    return (dyed(random) * np.exp(folds)[..., None]) ** 2


def _cover(style: str, identity: Identity, random: np.random.Generator) -> Floats:
    """Return where the scalp is covered: everything above a hairline with loose strands."""
    peak = random.normal(7.86, 0.05) + 0.08 * identity.masculinity * identity.ageing * random.random()
    recess = random.uniform(-0.05, 0.06) + 0.25 * identity.masculinity * identity.ageing
    side, burn = random.uniform(0.80, 0.98), random.uniform(7.10, 7.45)
    if style == "fringe":
        peak, recess = random.uniform(7.56, 7.68), random.uniform(-0.05, 0.02)
    behind = 7.60  # over the ear
    angles = (0.0, 0.35, 0.62, side, side + 0.10, side + 0.20, side + 0.30, 1.72, 1.85)
    levels = (peak, peak + 0.3 * recess, peak + recess, 7.58, burn, burn + 0.05, behind, behind, 6.5)
    line = np.interp(np.abs(ANGLE), angles, levels).astype(np.float32)
    if style == "covered":
        return np.asarray(cv2.GaussianBlur(np.float32(line + 0.02 < LEVEL), (0, 0), 1.0), np.float32)
    ragged = {"fringe": 0.05, "curly": 0.03}.get(style, 0.02)
    sweep = random.normal(0, 0.10) * np.clip(1 - np.abs(ANGLE) / 0.8, 0, 1) * ANGLE  # combed to a side
    line = (
        line
        + sweep
        + ragged * noise(random, (1, 90))
        + 0.025 * noise(random, (1, 30))
        + 0.03 * noise(random, (1, 8))
    )
    thin = noise(random, (80, 80)) if style == "curly" else noise(random, (6, 220))
    softness = {"cropped": 0.10, "curly": 0.05}.get(style, 0.06)
    cover = np.clip((LEVEL - line) / softness + 0.45 * thin + 0.3, 0, 1)
    if style == "cropped":
        cover *= np.clip(random.uniform(0.65, 1.0) + 0.15 * noise(random, (170, 170)), 0, 1)
    return np.asarray(cv2.GaussianBlur(np.asarray(cover, np.float32), (0, 0), 0.6), np.float32)


def _lift(head: Head) -> Floats:
    """Return how much of the hair's height lifts each vertex: all on the crown, none on the face and ears."""
    x, y, z = head.vertices.T
    angle = np.abs(np.arctan2(x, z - 0.35))
    crown = np.clip((y - 7.78) / 0.25, 0, 1)
    sides = np.clip((angle - 0.95) / 0.2, 0, 1) * np.clip((y - 7.50) / 0.2, 0, 1)
    nape = (
        np.clip((0.35 - z) / 0.3, 0, 1) * np.clip((y - 6.7) / 0.4, 0, 1) * np.clip((angle - 1.75) / 0.2, 0, 1)
    )
    return np.asarray(np.maximum(np.maximum(crown, sides), nape) * head.skin, np.float32)


def _hang(head: Head, lifted: Floats, identity: Identity, length: float, front: float) -> Curtain:
    """Hang hair from the scalp's vertices near the root's level, from the front edge backwards on both sides."""
    angles = np.concatenate(
        [np.linspace(-np.pi, -front, _COLUMNS // 2), np.linspace(front, np.pi, _COLUMNS // 2)]
    )
    base = head.vertices
    around = np.arctan2(base[:, 0], base[:, 2] - 0.35)
    apart = np.abs(np.angle(np.exp(1j * (around[None] - angles[:, None]))))
    cost = apart + 2 * np.abs(base[:, 1] - _ROOT)[None] + 100 * ~head.skin[None]
    roots = lifted[cost.argmin(1)].astype(np.float64)
    middle = roots.mean(0)
    out = np.stack([np.sin(angles), np.zeros_like(angles), np.cos(angles)], 1)
    down = np.linspace(0, 1, _ROWS)[:, None, None]
    reach = length * down
    # the front edge lies close to the cheek; behind it hair stands off, most over the ears
    volume = 0.06 + 0.26 * np.clip((np.abs(angles) - front) / 0.45, 0, 1)[None, :, None]
    bulge = np.sin(np.pi * np.clip(reach / (2.4 * identity.scale), 0, 1)) ** 0.6
    off = identity.scale * (volume * bulge - 0.04)
    points = roots[None] + out[None] * off + np.array([0.0, -1.0, 0.0]) * reach
    points[..., 2] += (middle[2] - points[..., 2]) * 0.15 * down[..., 0]
    back = np.broadcast_to(np.abs(angles) - front, (_ROWS, _COLUMNS))
    places = np.stack([back, np.broadcast_to(down[..., 0], back.shape)], -1)
    normals = np.broadcast_to(out, points.shape) + np.array([0.0, 0.25, 0.0])
    rows, columns = np.meshgrid(np.arange(_ROWS - 1), np.arange(_COLUMNS - 1), indexing="ij")
    corner = (rows * _COLUMNS + columns)[columns != _COLUMNS // 2 - 1]  # the face stays open
    quads = [(corner, corner + _COLUMNS, corner + 1), (corner + 1, corner + _COLUMNS, corner + _COLUMNS + 1)]
    triangles = np.concatenate([np.stack(quad, 1) for quad in quads]).astype(np.int32)
    flat = (each.reshape(-1, each.shape[-1]).astype(np.float32) for each in (points, normals, places))
    points, normals, places = flat
    return Curtain(points, triangles, normals / np.linalg.norm(normals, axis=1, keepdims=True), places)


def curtain_cover(places: Floats, texture: Floats) -> tuple[Floats, Floats]:
    """Return colour (n, 3), linear, and opacity (n,) of hanging hair at `places` (n, 2), from its map of colours."""
    column = ((places[:, 0] * 0.9 + LEFT_EDGE + 1.9) / WIDTH * SIDE).astype(int) % SIDE
    row = np.clip(places[:, 1] * SIDE / 4, 0, SIDE - 1).astype(int)
    colour = texture[row, column]
    level = colour.mean(1)
    strand = (level / (level.mean() + np.float32(1e-6)) - 1) * np.float32(0.8)
    edge = np.clip(places[:, 0] / 0.10 + strand, 0, 1)
    end = np.clip((1 - places[:, 1]) / 0.10 + strand, 0, 1)
    return colour, np.asarray(edge * end, np.float32)


def under_hair(cover: Floats) -> Floats:
    """Return how the skin is darkened near the hair that overhangs it, (SIDE, SIDE, 1), 0 to 1."""
    shift = np.float32([[1, 0, 0], [0, 1, 0.05 / HEIGHT * SIDE]])
    below = cv2.GaussianBlur(cv2.warpAffine(cover, shift, (SIDE, SIDE)), (0, 0), 0.05 / HEIGHT * SIDE)
    return np.asarray(1 - 0.4 * below, np.float32)[..., None]
