"""How a face gets into the picture: domains, background, glasses, pose, lens, exposure, blur, noise and JPEG."""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from rendered_faces.identity import colour
from rendered_faces.patterns import soft
from rendered_faces.rasteriser import Floats, Pixels


@dataclass(frozen=True)
class Domain:
    """How pictures of one kind are taken. Chosen by eye: posed studio, found pictures, a cheap front camera."""

    yaw: float  # standard deviations, degrees
    pitch: float
    roll: float
    light_side: float  # the key light's greatest angle to the side, radians
    distance: tuple[float, float]  # of the camera, decimetres for an adult: near ones widen the nose
    blur: float  # sd of the blur's sd, pixels of a 224-pixel image
    noise: float  # sd, of 1
    jpeg: tuple[float, float]  # range of qualities
    zoom: float  # sd of the relative scale
    shift: float  # sd of the position, share of the image's side
    exposure: float

    def eased(self, difficulty: float) -> "Domain":
        """Return it with pose, framing and light varying less where faces are to be clean: all of it from 0.2 on."""
        share = 1 - (1 - _CLEANEST) * max(0.0, 1 - difficulty / 0.2)
        eased = ("yaw", "pitch", "roll", "light_side", "zoom", "shift", "exposure")
        return replace(self, **{name: share * getattr(self, name) for name in eased})


DOMAINS: Final = {
    "lab": Domain(3, 3, 2, 0.30, (11, 18), 0.35, 0.008, (88, 97), 0.03, 0.013, 0.05),
    "wild": Domain(8, 5, 5, 0.55, (8, 18), 0.60, 0.012, (55, 95), 0.07, 0.025, 0.13),
    "phone": Domain(6, 5, 4, 0.45, (5, 9), 0.75, 0.018, (45, 85), 0.06, 0.025, 0.13),
}
_CLEANEST: Final = 0.3  # few faces then teach a network as much as more would: a pilot training
DEGRADATION: Final = 0.8  # share of the difficulty that reaches the camera
_ZOOM: Final = 0.36  # a decimetre is this share of the image's side: the head then fills about two thirds
_PIVOT: Final = np.array([0.0, -0.22, -0.55])  # from between the eyes to the image's middle, decimetres

_PALETTES: Final = (  # muted, as rooms, streets and gardens are: wall or sky, middle, floor, accents
    ("c9c2b4", "a89a86", "6f6255", "8c5a3c", "e8e4da"),
    ("b7c7d3", "8fa08c", "5d6b4e", "3f4a3a", "d9dccf"),
    ("8a9099", "6c6f75", "4b4a4a", "a3543e", "d2cfc7"),
    ("d8cfc0", "b59f85", "7c6a58", "3d5266", "f0ead9"),
    ("5a6570", "454b50", "2f3133", "b08a4a", "8c9aa5"),
)  # fmt: skip
_FRAME_RADIUS: Final = (0.21, 0.16)  # of glasses, decimetres of the base mesh: across, down
_FRAME_DEPTH: Final = 0.24  # before the eyeball's centre


@dataclass(frozen=True, eq=False)
class View:
    """A camera before a head: the turned head's frame, and how it is projected onto a square picture."""

    turn: Floats  # (3, 3)
    centre: Floats  # (3,) of the turn, in the head's frame
    distance: float
    zoom: float  # pixels per decimetre at the centre's distance
    middle: Floats  # (2,) where the centre is seen, pixels

    def turned(self, points: Floats) -> Floats:
        """Return points (n, 3) in the viewer's frame: x right, y up, z towards the viewer."""
        return np.asarray((points - self.centre) @ self.turn.T, np.float32)

    def projected(self, turned: Floats) -> Floats:
        """Return columns, rows and depths (n, 3) of points in the viewer's frame."""
        scale = np.float32(self.distance * self.zoom) / (np.float32(self.distance) - turned[:, 2])
        (across, down), (x, y, z) = self.middle, turned.T
        return np.asarray(np.stack([across + x * scale, down - y * scale, z], 1), np.float32)


def draw_view(
    between_eyes: Floats, scale: float, domain: Domain, side: int, random: np.random.Generator
) -> View:
    """Return a view of a head whose eyes' middle is `between_eyes` (3,), in a picture of `side` pixels."""
    spread = np.deg2rad([domain.yaw, domain.pitch, domain.roll])
    yaw, pitch, roll = np.clip(random.normal(0, spread), -2.2 * spread, 2.2 * spread).tolist()
    turns = ((0.0, 0.0, roll), (0.0, yaw, 0.0), (pitch, 0.0, 0.0))
    about_z, about_y, about_x = (cv2.Rodrigues(np.array(turn))[0] for turn in turns)
    zoom = 1 + float(np.clip(random.normal(0, domain.zoom), -0.15, 0.12))
    shift = np.clip(random.normal(0, domain.shift, 2), -0.06, 0.06)
    return View(
        turn=(about_z @ about_y @ about_x).astype(np.float32), centre=(between_eyes + _PIVOT * scale).astype(np.float32),
        distance=float(random.uniform(*domain.distance)) * scale, zoom=_ZOOM * zoom * side / scale,
        middle=np.asarray((0.5 + shift) * side, np.float32),
    )  # fmt: skip


def backdrop(domain: str, side: int, random: np.random.Generator) -> Floats:
    """Return a background (side, side, 3), 0 to 1: a studio wall in the lab, else a blurred scene."""
    small = max(28, side // 4)  # it is out of focus: rendered small, blurred and enlarged
    if domain == "lab":
        level, lean, axis = random.uniform(0.45, 0.8), random.normal(0, 0.05), np.linspace(-1, 1, small)
        down, across = axis[:, None], axis[None]
        wall = level - 0.05 * down + lean * across - 0.04 * (down**2 + across**2)
        return np.repeat(cv2.resize(wall.astype(np.float32), (side, side))[..., None], 3, 2)
    palette = np.array([colour(c) for c in _PALETTES[int(random.integers(len(_PALETTES)))]])
    scene = np.empty((small, small, 3), np.float32)
    horizon = int(small * random.uniform(0.3, 0.8))
    scene[:horizon], scene[horizon:] = palette[0], palette[2]
    for _ in range(int(random.integers(4, 11))):
        box = random.uniform((-0.2, -0.1, 0.05, 0.1), (1.0, 0.8, 0.4, 0.7)) * small
        x, y, width, height = box.astype(int).tolist()
        paint = (palette[int(random.integers(len(palette)))] * random.uniform(0.75, 1.2)).tolist()
        cv2.rectangle(scene, (x, y), (x + width, y + height), paint, -1)
    scene = soft(scene, random.uniform(0.02, 0.06) * small) * np.float32(random.uniform(0.75, 1.1))
    return np.clip(cv2.resize(scene, (side, side)), 0, 1)


def put_on_glasses(picture: Floats, eyes: Floats, scale: float, view: View) -> None:
    """Paint thin-framed glasses before the eyeballs' centres, (2, 3) left then right, onto the picture, in place."""
    turn = np.linspace(0, 2 * np.pi, 41)
    across, down = _FRAME_RADIUS
    rim = np.stack([across * np.cos(turn), down * np.sin(turn) - 0.02, np.full(41, _FRAME_DEPTH)], 1)
    left, right = eyes[:, None] + scale * rim
    ear = scale * np.array([[0, 0, 0], [0.08, 0.02, -0.1], [0.28, 0.02, -0.9]])  # from a rim's end
    nose = np.stack([left[20], (left[20] + right[0]) / 2 + (0, 0.03 * scale, 0.03 * scale), right[0]])
    cover, width = np.zeros(picture.shape[:2], np.float32), max(1, len(picture) // 90)
    for path in (left, right, nose, left[0] + ear, right[20] + ear * (-1, 1, 1)):
        points = view.projected(view.turned(path.astype(np.float32)))[:, :2]
        cv2.polylines(cover, [np.round(points * 16).astype(np.int32)], False, 1.0, width, cv2.LINE_AA, 4)
    picture += (0.85 * cover)[..., None] * (np.float32(0.08) - picture)


def photograph(scene: Floats, domain: Domain, degradation: float, random: np.random.Generator) -> Pixels:
    """Expose, blur, add noise and compress a scene (n, n, 3), 0 to 1; return uint8 RGB."""
    contrast = np.float32(1 + random.normal(0, 0.5 * domain.exposure))
    level = np.float32(0.5 + random.normal(0, 0.3 * domain.exposure))
    cast = np.exp(0.015 * random.standard_normal(3)).astype(np.float32)
    grey = scene.mean(2, keepdims=True)
    pixels = grey + (scene - grey) * np.float32(random.uniform(0.75, 1.1))
    pixels = np.clip(((pixels - np.float32(0.5)) * contrast + level) * cast, 0, 1) * np.float32(255)
    blur = abs(random.normal(0, domain.blur)) * (1 + 2.5 * degradation) + 0.8 * degradation
    if (blur := blur * len(scene) / 224) > 0.3:
        pixels = soft(pixels, blur)
    grain = random.standard_normal(pixels.shape[:2], dtype=np.float32)
    grain *= np.float32(255 * domain.noise * (1 + 2 * degradation))
    levels = np.clip(pixels + grain[..., None] + np.float32(0.5), 0, 255).astype(np.uint8)
    quality = int(np.clip(random.uniform(*domain.jpeg) - 25 * degradation, 12, 97))
    bgr = cv2.cvtColor(levels, cv2.COLOR_RGB2BGR)
    _, packed = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR_RGB), np.uint8)
