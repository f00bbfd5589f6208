"""One synthetic face: a row of the plan to a picture."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from rendered_faces import hair as hairs
from rendered_faces.action_units import NUMBERS, Strengths, performed, prototypes, shape_weights
from rendered_faces.camera import DEGRADATION, DOMAINS, View, draw_view, photograph
from rendered_faces.creases import crease_depths, crease_map
from rendered_faces.eyes import eye_colours, highlight
from rendered_faces.head import (
    CAVITY,
    LEFT_EYE,
    RIGHT_EYE,
    SKIN,
    TEETH,
    TONGUE,
    Head,
    load_head,
    unit_vectors,
)
from rendered_faces.identity import Identity, draw_identity
from rendered_faces.lighting import Light, draw_light, illumination, openness, sheen
from rendered_faces.rasteriser import Floats, rasterise
from rendered_faces.scenery import backdrop, hide_corner, put_on_glasses
from rendered_faces.skin import paint_skin, skin_colour

SMALLEST: Final = 32  # below it, lids and lips are thinner than a pixel
LARGEST: Final = 900  # above it, the skin's map would show its pixels

Row = Mapping[Hashable, Any] | pd.Series
"""A row of `design.plan_faces`: of its columns, neither group, split nor dataset changes the picture."""

_OVERSAMPLING: Final = (1.25, 1.6)
"""Pictures are rendered larger by this and averaged, for smooth edges: small ones by more, up to _ENOUGH pixels."""
_ENOUGH: Final = 200
_LIDS: Final = -0.06, 0.08  # mean and spread of how far lids are closed at rest; negative is open
_TOOTH: Final = np.array([0.90, 0.87, 0.80], np.float32)
_FLESH: Final = np.array([0.50, 0.20, 0.19], np.float32)  # the inside of the mouth, linear
_TOOTH_WIDTH: Final = 0.082  # decimetres of the base mesh


@dataclass(frozen=True, eq=False)
class Person:
    """An identity with its paint: the map of skin and hair (SIDE, SIDE, 4), linear RGB and gloss, and the lips' colour."""

    identity: Identity
    hair: hairs.Hair
    paint: Floats
    lips: Floats


def render_face(row: Row, size: int) -> npt.NDArray[np.uint8]:
    """Return the picture that a row of the plan describes, (size, size, 3) uint8 RGB; same row, same pixels.

    The same to the bit under one NumPy and OpenCV; other versions may differ by a few grey levels.
    Raises ValueError for an unknown expression, mouth, domain or sex, or a size that is not in 32 to 900 pixels;
    HeadError without the head's data file.
    """
    if not SMALLEST <= size <= LARGEST:
        raise ValueError(f"cannot render a face of {size} pixels: ask for {SMALLEST} to {LARGEST}")
    if row["domain"] not in DOMAINS:
        raise ValueError(f"unknown domain {row['domain']!r}: expected one of {', '.join(DOMAINS)}")
    domain = DOMAINS[row["domain"]]
    person = _person(
        int(row["identity_seed"]), float(row["model_age"]), str(row["sex"]), int(row["skin_tone"])
    )
    # one stream of random numbers per purpose: a change in one leaves the others as they were
    acting, lamp, setting, lens = map(
        np.random.default_rng, np.random.SeedSequence(int(row["image_seed"])).spawn(4)
    )
    strengths = _expression(row, person.identity, acting)
    degradation = DEGRADATION * float(row["difficulty"])
    hidden = setting.random() < domain.occluded * (1 + 2 * degradation)
    least, most = _OVERSAMPLING
    side = round(max(least * size, min(most * size, _ENOUGH)))
    scene = backdrop(row["domain"], side, setting)
    light = draw_light(lamp, domain.light_side)
    head = load_head()
    vertices = _posed(head, person, strengths, acting)
    eyes = np.stack([vertices[eye].mean(0) for eye in head.eyes])
    view = draw_view(eyes.mean(0), person.identity.scale, domain, side, lens)
    depths = crease_depths(strengths, person.identity, acting)
    _paint_head(scene, head, person, vertices, eyes, view, light, depths, lamp)
    if person.identity.glasses:
        put_on_glasses(scene, eyes, person.identity.scale, view)
    if hidden:
        hide_corner(scene, setting)
    scene = cv2.resize(scene, (size, size), interpolation=cv2.INTER_AREA)
    return photograph(_exposed(scene), domain, degradation, lens)


@lru_cache(maxsize=4)
def _person(seed: int, model_age: float, sex: str, skin_tone: int) -> Person:
    """Return a person with its paint; a plan lists a subject's images one after the other."""
    head = load_head()
    identity = draw_identity(head, seed, model_age, sex, skin_tone)
    random = np.random.default_rng(identity.paint_seed)
    hair = hairs.grow_hair(head, identity, random)
    skin = paint_skin(identity, random) ** 2 * hairs.under_hair(hair.cover)
    paint = skin + hair.cover[..., None] * (hair.colours - skin)
    gloss = 1 - 0.75 * hair.cover
    tone = skin_colour(identity.skin_tone)
    rosy = np.array([0.88, 0.62, 0.61], np.float32) ** np.float32(random.uniform(0.5, 1.05))
    return Person(identity, hair, np.dstack([paint, gloss]).astype(np.float32), (tone * rosy) ** 2)


def _expression(row: Row, identity: Identity, acting: np.random.Generator) -> Strengths:
    share = float(row["blend"])
    variants = prototypes(row["expression"], row["mouth"])
    target = variants[int(acting.integers(len(variants)))]
    other = prototypes(row["blended_with"], row["mouth"])[0]
    neutral_mouth = prototypes("neutral", row["mouth"])[0]
    aimed = float(row["intensity"]) * ((1 - share) * target + share * other)
    if (
        row["expression"] == "neutral"
    ):  # an open mouth at rest is no expression: it does not fade with intensity
        aimed = neutral_mouth + share * float(row["intensity"]) * (other - neutral_mouth)
    return performed(np.maximum(aimed, 0), identity.gain, identity.rest, float(row["difficulty"]), acting)


def _posed(head: Head, person: Person, strengths: Strengths, acting: np.random.Generator) -> Floats:
    """Return the head's vertices in an expression, hair included."""
    identity = person.identity
    weights = shape_weights(strengths)
    lids = float(np.clip(acting.normal(*_LIDS), -0.3, 0.15)) - 0.08 * identity.childness
    raised = strengths[NUMBERS.index(5)].mean()
    for side in ("Left", "Right"):
        name = ("eyeBlink" if lids > 0 else "eyeWide") + side
        weights[name] = weights.get(name, 0.0) + abs(lids) * max(0.0, 1 - raised) * 2
    vertices = identity.vertices.copy()
    for name, weight in weights.items():
        vertices += head.unit[name] * np.float32(weight * identity.scale)
    if person.hair.rise.any():
        vertices += head.normals(vertices) * person.hair.rise[:, None]
    return vertices


def _paint_head(
    scene: Floats, head: Head, person: Person, vertices: Floats, eyes: Floats, view: View, light: Light,
    depths: Floats, random: np.random.Generator,
) -> None:  # fmt: skip
    """Paint the head, and hair that hangs, over the scene, in place."""
    side, identity = len(scene), person.identity
    turned = view.turned(vertices)
    seen = rasterise(view.projected(turned), head.triangles, side)
    kind = head.kind[seen.triangle]
    normals = head.normals(vertices) @ view.turn.T
    values = np.column_stack([head.map_places, normals, turned, head.lips, head.vertices[:, 0]])
    found = seen.interpolated(values.astype(np.float32), head.triangles)
    normal = unit_vectors(found[:, 2:5])
    place, lips, base_x = found[:, 5:8], found[:, 8], found[:, 9]
    depth, covered = np.zeros((2, side * side), np.float32)
    depth[seen.pixel], covered[seen.pixel] = place[:, 2], 1
    open_sky = openness(depth.reshape(side, side), covered.reshape(side, side), identity.scale).ravel()[
        seen.pixel
    ]
    paint = _sampled(person.paint, found[:, :2])
    skin = kind == SKIN
    reddened = (0.7 * lips * skin)[:, None]
    colour = paint[:, :3] + reddened * (person.lips - paint[:, :3])
    fold = np.clip(_sampled(crease_map() @ depths, found[:, :2]), -0.6, 2.2)
    colour *= np.exp(np.float32(-0.65) * fold * skin)[:, None]
    lit = colour * illumination(normal, open_sky, light)
    lit += sheen(normal, light) * (paint[:, 3] + 2 * lips)[:, None]
    _paint_mouth(lit, kind, place, lips, base_x, light, identity.scale)
    for eye, which in enumerate((LEFT_EYE, RIGHT_EYE)):
        if (mine := kind == which).any():
            lit[mine] = _eye(place[mine], eyes[eye], view, light, person, random)
    picture = np.zeros((side * side, 3), np.float32)
    picture[seen.pixel] = np.sqrt(np.clip(lit, 0, 1.4))
    picture = picture.reshape(side, side, 3)
    eyeballs = np.zeros(side * side, np.float32)
    eyeballs[seen.pixel[(kind == LEFT_EYE) | (kind == RIGHT_EYE)]] = 1
    _line_lids(picture, eyeballs.reshape(side, side), 0.75 if identity.masculinity < 0.5 else 0.55)
    mask = covered.reshape(side, side)
    alpha = np.clip(cv2.GaussianBlur(mask, (0, 0), 0.6) * 2 - 1, 0, 1)[..., None]
    scene += alpha * (picture - scene)
    if person.hair.curtain is not None:
        depth[covered == 0] = -np.inf
        _paint_curtain(scene, person.hair, view, light, depth)


def _sampled(texture: Floats, places: Floats) -> Floats:
    """Return a map's values at places (n, 2), linearly interpolated."""
    count = len(places)
    width = 256  # OpenCV wants rows shorter than 32768
    padded = np.zeros((-(-count // width) * width, 2), np.float32)
    padded[:count] = places * np.float32(len(texture)) - np.float32(0.5)
    across, down = (np.ascontiguousarray(padded[:, k]).reshape(-1, width) for k in (0, 1))
    found = cv2.remap(texture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found.reshape(-1, *texture.shape[2:])[:count], np.float32)


def _paint_mouth(
    lit: Floats,
    kind: npt.NDArray[np.int8],
    place: Floats,
    lips: Floats,
    base_x: Floats,
    light: Light,
    scale: float,
) -> None:
    """Colour teeth, tongue and the cavity, darker the deeper they lie behind the lips, in place."""
    inner = (kind == CAVITY) | (kind == TEETH) | (kind == TONGUE)
    if not inner.any():
        return
    front = (kind == SKIN) & (lips > 0.5)
    edge = float(np.percentile(place[front, 2], 60)) if front.any() else float(place[inner, 2].max())
    deep = np.clip(edge - place[inner, 2], 0, None) / np.float32(scale)
    teeth = (kind == TEETH)[inner]
    gap = np.clip(np.abs(np.mod(base_x[inner] / _TOOTH_WIDTH + 0.5, 1) - 0.5) * 10, 0.72, 1)
    enamel = _TOOTH**2 * (gap**2)[:, None]
    flesh = np.where((kind == TONGUE)[inner][:, None], _FLESH * np.float32(0.9), _FLESH * np.float32(0.35))
    shade = np.where(teeth, np.exp(-deep / 0.9), np.exp(-deep / 0.28))[:, None]
    level = np.float32(0.75 * light.key_strength + light.sky)
    lit[inner] = np.where(teeth[:, None], enamel, flesh) * shade * level


def _eye(
    place: Floats, centre: Floats, view: View, light: Light, person: Person, random: np.random.Generator
) -> Floats:
    """Return the lit colours of an eyeball at places (n, 3) in the viewer's frame."""
    out = place - view.turned(centre[None])[0]
    radius = float(np.sqrt((out * out).sum(1)).mean())
    directions = unit_vectors(out)
    gaze = np.array([[0, 0, 1]], np.float32) + random.normal(0, 0.05, (1, 3)).astype(np.float32)
    pixel = 1 / (view.zoom * radius)
    colours = eye_colours(directions, unit_vectors(gaze)[0], person.identity, pixel)
    level = np.float32(light.sky) + np.float32(light.key_strength) * np.clip(directions @ light.key, 0.25, 1)
    seen = np.float32(
        0.65 + 0.35 * float(person.lips.mean()) ** 0.5
    )  # the lids of dark skin reflect less onto it
    return colours * (seen * np.clip(level, 0.3, 1.1))[:, None] + np.float32(0.6) * highlight(
        directions, light.key
    )


def _line_lids(picture: Floats, eyeballs: Floats, darkness: float) -> None:
    """Shade the eyeballs under the upper lids, and line both lids with lashes, in place."""
    unit = len(picture) / 256

    def moved(rows: float) -> Floats:
        shift = np.array([[1, 0, 0], [0, 1, rows * unit]], np.float32)
        return np.asarray(cv2.warpAffine(eyeballs, shift, eyeballs.shape), np.float32)

    shadow = eyeballs * (1 - cv2.GaussianBlur(moved(2.0), (0, 0), unit))
    upper, lower = np.clip(moved(-1.4) - eyeballs, 0, 1), np.clip(moved(0.9) - eyeballs, 0, 1)
    lashes = darkness * cv2.GaussianBlur(upper, (0, 0), 0.6 * unit) + 0.3 * darkness * cv2.GaussianBlur(
        lower, (0, 0), 0.7 * unit
    )
    picture *= ((1 - 0.35 * np.clip(shadow, 0, 1)) * (1 - np.clip(lashes, 0, 0.9)))[..., None]


def _paint_curtain(scene: Floats, hair: hairs.Hair, view: View, light: Light, depth: Floats) -> None:
    """Paint hanging hair where it is nearer than the head, whose depths (side * side,) are given, in place."""
    curtain = hair.curtain
    assert curtain is not None
    turned = view.turned(curtain.points)
    seen = rasterise(view.projected(turned), curtain.triangles, len(scene), one_sided=False)
    values = np.column_stack([curtain.places, curtain.normals @ view.turn.T])
    found = seen.interpolated(values.astype(np.float32), curtain.triangles)
    colour, cover = hairs.curtain_cover(found[:, :2], hair.colours)
    normal = unit_vectors(found[:, 2:])
    inside = np.where(normal[:, 2] < -0.1, np.float32(0.5), np.float32(1))  # the far half is seen from within
    lit = colour * illumination(normal, inside, light) * (0.4 + 0.6 * inside)[:, None]
    cover = cover * (seen.depth > depth[seen.pixel])
    flat = scene.reshape(-1, 3)
    flat[seen.pixel] += cover[:, None] * (np.sqrt(np.clip(lit, 0, 1.4)) - flat[seen.pixel])


def _exposed(scene: Floats) -> Floats:
    """Expose as a camera does: about half-way (on a log scale) to a middle grey face, highlights rolled off."""
    middle = slice(len(scene) // 3, 2 * len(scene) // 3)
    level = float(scene[middle, middle].mean())
    bright = scene * np.float32(np.clip((0.50 / max(level, 0.05)) ** 0.5, 0.8, 2.0))
    knee = np.float32(0.8)
    return np.minimum(bright, knee + np.float32(0.35) * (bright - knee))
