"""The head as a mesh: its parts, its shapes, and the flat map on which skin and hair are painted."""

from functools import lru_cache
from typing import Final

import numpy as np
from scipy.sparse import csr_matrix

from rendered_faces.head_file import LEFT_EYE, RIGHT_EYE, SKIN, TEETH, TONGUE, load_head_file
from rendered_faces.rasteriser import Floats, Triangles

AXIS: Final = 0.35
"""Depth of the upright axis about which the map is rolled up, decimetres: the middle of the skull."""

LEFT_EDGE, TOP, WIDTH, HEIGHT = -1.9, 8.7, 3.8, 3.7
"""The map's left edge and width, radians about the axis, and its top and height, decimetres of the base mesh."""

BACK: Final = 0.09  # of teeth and tongue, decimetres: at rest they show through the base mesh's lips


class Head:
    """MakeHuman's head, as its data file holds it: x to the person's left; shapes (n, 3) float32 by name, lips 0 to 1.

    `around` (n,): angle about the axis. `map_places` (n, 2): place on the map, shares of its width and height from the
    upper left.
    """

    def __init__(self) -> None:
        stored = load_head_file()
        self.vertices: Floats = stored["vertices"].astype(np.float32)
        self.triangles: Triangles = stored["triangles"].astype(np.int32)
        self.lips: Floats = stored["lips"].astype(np.float32) / np.float32(255)
        self.macro, self.local, self.unit = (
            dict(zip(stored[f"{kind}_names"].tolist(), stored[kind].astype(np.float32), strict=True))
            for kind in ("macro", "local", "unit")
        )
        self.kind = stored["kind"].astype(np.int8)
        x, y, z = self.vertices.T
        self.around: Floats = np.arctan2(x, z - np.float32(AXIS))
        self.map_places: Floats = np.stack([(self.around - LEFT_EDGE) / WIDTH, (TOP - y) / HEIGHT], 1)
        self.eyes = tuple(np.unique(self.triangles[self.kind == eye]) for eye in (LEFT_EYE, RIGHT_EYE))
        self.skin = np.isin(np.arange(len(self.vertices)), self.triangles[self.kind == SKIN])
        mouth = np.unique(self.triangles[(self.kind == TEETH) | (self.kind == TONGUE)])
        self.vertices[mouth, 2] -= BACK
        corners = self.triangles.ravel()
        ones = np.ones(len(corners), np.float32)
        shape = (len(self.vertices), len(self.triangles))
        self._gather = csr_matrix((ones, (corners, np.arange(len(corners)) // 3)), shape)

    def eye_centres(self, vertices: Floats) -> Floats:
        """Return the eyeballs' centres, left then right, (2, 3)."""
        return np.stack([vertices[eye].mean(0) for eye in self.eyes])

    def normals(self, vertices: Floats) -> Floats:
        """Return each vertex's outward unit normal (n, 3): the mean of its triangles', weighted by area."""
        a, b, c = (np.take(vertices, corner, axis=0) for corner in self.triangles.T)
        return unit_vectors(self._gather @ np.cross(b - a, c - a))


load_head = lru_cache(maxsize=1)(Head)
"""The head, read once in each process; raises HeadError if its data file is missing."""


def unit_vectors(vectors: Floats) -> Floats:
    """Return vectors (n, 3) divided by their lengths."""
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors)) + np.float32(1e-9)
    return vectors / length[:, None]
