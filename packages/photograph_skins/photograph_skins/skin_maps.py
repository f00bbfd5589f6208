"""From one neutral frontal photograph to a skin on the rendered head's map."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from photograph_skins.landmarks import LIPS, OUTLINE, Points, to_photograph
from rendered_faces.head import load_head
from rendered_faces.head_file import SKIN
from rendered_faces.patterns import SIDE, soft
from rendered_faces.rasteriser import Floats, rasterise

_FACING: Final = (0.25, 0.60)
"""Of a place's normal, the share towards the camera: below the first a frontal photograph shows too little of it, above
the second it is trusted; chosen by eye on the mesh."""
_FEATHER: Final = 0.035  # over which the outline fades, share of the photograph's height
_SHADING: Final = 0.25  # width of the mean whose unevenness is the studio's light, share of the map's side
_REMOVED: Final = 0.6  # how much of that unevenness is taken out, on a log scale; the rest is the skin's own


@dataclass(frozen=True, eq=False)
class SkinMap:
    """A skin on the head's map, linear RGB whose median is 1: `colour` (SIDE, SIDE, 3), `lips` (3,).

    `cover` (SIDE, SIDE) is 1 where the photograph showed the skin and 0 where it did not.
    """

    colour: Floats
    cover: Floats
    lips: Floats


def skin_map(picture: npt.NDArray[np.uint8], template: Points) -> SkinMap:
    """Return the skin that a photograph (height, width, 3), RGB, shows, given its landmarks (189, 2) in pixels.

    Raises ValueError if so little of the face lies in the picture that it has no skin to take.
    """
    places, facing = _head_plane()
    warp = to_photograph(template)
    grid = slice(None, None, 8)  # the mapping is smooth: every eighth place of the map is enough
    coarse = warp(places[grid, grid].reshape(-1, 2)).reshape(*places[grid, grid].shape)
    at = cv2.resize(coarse.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    linear = (
        picture.astype(np.float32) / np.float32(255)
    ) ** 2  # as the renderer's: display values are roots
    found = _read(linear, at)
    inside = np.zeros(picture.shape[:2], np.float32)
    cv2.fillPoly(inside, [np.round(template[list(OUTLINE)]).astype(np.int32)], 1.0)
    feather = _FEATHER * len(picture)
    cover = _read(np.clip(2 * soft(inside, feather) - 1, 0, 1), at) * facing
    if cover.mean() < 0.02:
        raise ValueError("the landmarks lie outside the picture: are they of another size of it?")
    even = _evenly_lit(found, cover)
    middle = np.median(even[cover > 0.9], axis=0)
    lips = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(lips, [np.round(template[list(LIPS)]).astype(np.int32)], 1)
    red = np.median(linear[lips > 0], axis=0) / np.median(found[cover > 0.9], axis=0)
    return SkinMap((even / middle).astype(np.float32), cover.astype(np.float32), red.astype(np.float32))


def _evenly_lit(colour: Floats, cover: Floats) -> Floats:
    """Divide out most of the slow unevenness of brightness: light that the renderer casts anew."""
    level = colour.mean(2)
    wide = _SHADING * SIDE
    local = soft(level * cover, wide) / np.maximum(soft(cover, wide), np.float32(1e-3))
    usual = float(np.median(local[cover > 0.9]))
    return np.asarray(colour / (np.maximum(local, 1e-3) / usual)[..., None] ** _REMOVED, np.float32)


def _read(values: Floats, at: Floats) -> Floats:
    """Return a picture's values at places (SIDE, SIDE, 2) in pixels."""
    x, y = (np.ascontiguousarray(at[..., axis]) - np.float32(0.5) for axis in (0, 1))
    return np.asarray(cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


@lru_cache(maxsize=1)
def _head_plane() -> tuple[Floats, Floats]:
    """Return each map pixel's place on the base mesh seen from the front (SIDE, SIDE, 2), and how well it faces it."""
    head = load_head()
    outer = head.triangles[head.kind == SKIN]
    flat = np.column_stack([head.map_places * SIDE, head.vertices[:, 2]]).astype(np.float32)
    values = np.column_stack([head.vertices[:, :2], head.normals(head.vertices)[:, 2]]).astype(np.float32)
    # of the mouth's inside, the lips in front are nearer
    seen = rasterise(flat, outer, values, SIDE, one_sided=False)
    found = np.full((SIDE * SIDE, 3), np.nan, np.float32)
    found[seen.pixel] = seen.values
    found = _filled(found.reshape(SIDE, SIDE, 3))
    low, high = _FACING
    return found[..., :2], np.clip((found[..., 2] - low) / (high - low), 0, 1)


def _filled(values: Floats) -> Floats:
    """Fill what no triangle covers (eye openings, beyond the neck) with the nearest value."""
    missing = np.isnan(values[..., 0]).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(
        missing, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    known = np.flatnonzero(missing.ravel() == 0)
    source = np.zeros(int(labels.max()) + 1, np.int64)
    source[labels.ravel()[known]] = known
    return values.reshape(-1, values.shape[2])[source[labels.ravel()]].reshape(values.shape)
