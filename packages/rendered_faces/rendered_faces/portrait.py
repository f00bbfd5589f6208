"""One synthetic face: a row of the plan to a picture."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from rendered_faces.camera import DEGRADATION, DOMAINS, View, backdrop, draw_view, photograph, put_on_glasses
from rendered_faces.eyes import eyeball, line_lids
from rendered_faces.hair import curtain_cover
from rendered_faces.head import load_head, unit_vectors
from rendered_faces.head_file import CAVITY, LEFT_EYE, RIGHT_EYE, SKIN, TEETH, TONGUE
from rendered_faces.lighting import Light, draw_light, illumination, openness, sheen
from rendered_faces.patterns import soft
from rendered_faces.person import Person, Row, expression_of, person_of, posed
from rendered_faces.rasteriser import Floats, Integers, Pixels, rasterise
from rendered_faces.skin import fold_depths, fold_map

SMALLEST: Final = 32  # below it, lids and lips are thinner than a pixel
LARGEST: Final = 900  # above it, the skin's map would show its pixels

_OVERSAMPLING: Final = (1.25, 1.6, 200)
"""Pictures are rendered larger by this and averaged, for smooth edges: small ones by more, up to so many pixels."""
_TOOTH, _FLESH = np.array([[0.81, 0.76, 0.64], [0.50, 0.20, 0.19]], np.float32)  # linear
_TOOTH_WIDTH: Final = 0.082  # decimetres of the base mesh
_BACK_TEETH: Final = 0.21  # how far sideways they begin; the corners of the lips at rest are at 0.25
_FOLD: Final = 0.65  # how dark a fold of depth 1 is, on a log scale
_BRIGHTEST: Final = 1.4  # light beyond it is clipped


def render_face(row: Row, size: int, person: Person | None = None) -> Pixels:
    """Return the picture that a row of the plan describes, (size, size, 3) uint8 RGB; same row, same pixels.

    `person` is `person_of(row)`, painted otherwise; by default that itself. Other versions of NumPy and OpenCV may differ
    by a few grey levels. Raises ValueError for an unknown expression, mouth, domain or sex, or a size that is not in 32
    to 900 pixels; HeadError without the head's data file.
    """
    if not SMALLEST <= size <= LARGEST:
        raise ValueError(f"cannot render a face of {size} pixels: ask for {SMALLEST} to {LARGEST}")
    if row["domain"] not in DOMAINS:
        raise ValueError(f"unknown domain {row['domain']!r}: expected one of {', '.join(DOMAINS)}")
    difficulty = float(row["difficulty"])
    domain, person = DOMAINS[row["domain"]].eased(difficulty), person or person_of(row)
    # one stream of random numbers per purpose: a change in one leaves the others as they were
    streams = np.random.SeedSequence(int(row["image_seed"])).spawn(4)
    acting, lamp, setting, lens = map(np.random.default_rng, streams)
    least, most, enough = _OVERSAMPLING
    side = round(max(least * size, min(most * size, enough)))
    scene = backdrop(row["domain"], side, setting)
    strengths = expression_of(row, person.identity, acting)
    head = load_head()
    vertices = posed(head, person, strengths, acting)
    eyes = head.eye_centres(vertices)
    view = draw_view(eyes.mean(0), person.identity.scale, domain, side, lens)
    light = draw_light(lamp, domain.light_side)
    surface = _seen(vertices, view, side)
    folds = fold_map() @ fold_depths(strengths, person.identity, acting)
    lit = _lit(surface, person, folds, light)
    for which, centre in zip((LEFT_EYE, RIGHT_EYE), view.turned(eyes), strict=True):
        if (mine := surface.kind == which).any():
            lit[mine] = eyeball(surface.place[mine], centre, view, light, person.identity, lamp)
    picture = surface.picture(np.sqrt(np.clip(lit, 0, _BRIGHTEST)))
    eyeballs = surface.picture(np.isin(surface.kind, (LEFT_EYE, RIGHT_EYE)))
    line_lids(picture, eyeballs, 0.75 - 0.2 * person.identity.masculinity)
    cover = np.clip(2 * soft(surface.picture(1.0), 0.6) - 1, 0, 1)
    scene += cover[..., None] * (picture - scene)
    _paint_curtain(scene, person, view, light, surface)
    if person.identity.glasses:
        put_on_glasses(scene, eyes, person.identity.scale, view)
    small = np.asarray(cv2.resize(scene, (size, size), interpolation=cv2.INTER_AREA), np.float32)
    return photograph(_exposed(small), domain, DEGRADATION * difficulty, lens)


@dataclass(frozen=True, eq=False)
class Surface:
    """What is seen of a head, one row per pixel; `normal` and `place` are in the viewer's frame."""

    side: int
    pixel: Integers  # flat index into a picture of `side` pixels
    kind: npt.NDArray[np.int8]  # what it shows, SKIN to TONGUE
    on_map: Floats  # (n, 2)
    normal: Floats  # (n, 3)
    place: Floats  # (n, 3)
    lips: Floats  # 0 to 1
    base_x: Floats  # sideways on the base mesh

    def picture(self, values: npt.ArrayLike, otherwise: float = 0.0) -> Floats:
        """Return values (n,) or (n, k) as a picture (side, side) or (side, side, k)."""
        values = np.broadcast_to(np.asarray(values, np.float32), (len(self.pixel), *np.shape(values)[1:]))
        flat = np.full((self.side**2, *values.shape[1:]), otherwise, np.float32)
        flat[self.pixel] = values
        return flat.reshape(self.side, self.side, *values.shape[1:])


def _seen(vertices: Floats, view: View, side: int) -> Surface:
    head, turned = load_head(), view.turned(vertices)
    normals = head.normals(vertices) @ view.turn.T
    values = np.column_stack([head.map_places, normals, turned, head.lips, head.vertices[:, 0]])
    pixel, triangle, _, found = rasterise(view.projected(turned), head.triangles, values, side)
    on_map, normal, place = found[:, :2], unit_vectors(found[:, 2:5]), found[:, 5:8]
    return Surface(side, pixel, head.kind[triangle], on_map, normal, place, *found[:, 8:].T)


def _lit(surface: Surface, person: Person, folds: Floats, light: Light) -> Floats:
    """Return the head's colours (n, 3) in the light, linear; those of the eyes come later."""
    skin = (surface.kind == SKIN).astype(np.float32)
    paint = _sampled(person.paint, surface.on_map)
    reddened = (np.float32(0.7) * surface.lips * skin)[:, None]
    colour = paint[:, :3] + reddened * (person.lips - paint[:, :3])
    fold = np.clip(_sampled(folds, surface.on_map), -0.6, 2.2) * skin * paint[:, 3]  # what gleams is no hair
    colour *= np.exp(np.float32(-_FOLD) * fold)[:, None]
    depth, covered = surface.picture(surface.place[:, 2]), surface.picture(1.0)
    sky = openness(depth, covered, person.identity.scale).ravel()[surface.pixel]
    lit = colour * illumination(surface.normal, sky, light)
    lit += sheen(surface.normal, light) * (paint[:, 3] + 2 * surface.lips)[:, None]
    inner = np.isin(surface.kind, (CAVITY, TEETH, TONGUE))
    if inner.any():
        lit[inner] = _mouth(surface, inner, light, person.identity.scale)
    return lit


def _mouth(surface: Surface, inner: npt.NDArray[np.bool_], light: Light, scale: float) -> Floats:
    """Return the colours of teeth, tongue and the cavity, darker the deeper they lie behind the lips."""
    front = (surface.kind == SKIN) & (surface.lips > 0.5)
    edge = np.percentile(surface.place[front if front.any() else inner, 2], 60)
    deep = np.clip(edge - surface.place[inner, 2], 0, None) / scale
    teeth, tongue = ((surface.kind == kind)[inner, None] for kind in (TEETH, TONGUE))
    gap = np.clip(np.abs(np.mod(surface.base_x[inner] / _TOOTH_WIDTH + 0.5, 1) - 0.5) * 10, 0.72, 1) ** 2
    colour = np.where(teeth, _TOOTH * gap[:, None], _FLESH * np.where(tongue, 0.9, 0.35))
    shade = np.exp(-deep[:, None] / np.where(teeth, 0.9, 0.28))
    # back teeth lie in the cheeks' shadow; lit, they show through the lips' corners as white specks
    shade *= np.clip((_BACK_TEETH - np.abs(surface.base_x[inner, None])) / 0.08, 0.2, 1)
    return np.asarray(colour * shade * (0.75 * light.key_strength + light.sky), np.float32)


def _sampled(texture: Floats, places: Floats) -> Floats:
    """Return a map's values at places (n, 2), linearly interpolated."""
    count, width = len(places), 256  # OpenCV wants rows shorter than 32768
    padded = np.zeros((-(-count // width) * width, 2), np.float32)
    padded[:count] = places * np.float32(len(texture)) - np.float32(0.5)
    across, down = (np.ascontiguousarray(padded[:, k]).reshape(-1, width) for k in (0, 1))
    found = cv2.remap(texture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found.reshape(-1, *texture.shape[2:])[:count], np.float32)


def _paint_curtain(scene: Floats, person: Person, view: View, light: Light, surface: Surface) -> None:
    """Paint hanging hair where it is nearer than the head, in place."""
    if (curtain := person.hair.curtain) is None:
        return
    points = view.projected(view.turned(curtain.points))
    values = np.column_stack([curtain.places, curtain.normals @ view.turn.T])
    pixel, _, depth, found = rasterise(points, curtain.triangles, values, len(scene), one_sided=False)
    colour, cover = curtain_cover(found[:, :2], person.hair.colours)
    shown = depth > surface.picture(surface.place[:, 2], -np.inf).ravel()[pixel]
    pixel, colour, cover, normal = pixel[shown], colour[shown], cover[shown], unit_vectors(found[shown, 2:])
    inside = np.where(normal[:, 2] < -0.1, np.float32(0.5), np.float32(1))  # the far half is seen from within
    lit = colour * illumination(normal, inside, light) * (0.4 + 0.6 * inside)[:, None]
    flat = scene.reshape(-1, 3)
    flat[pixel] += cover[:, None] * (np.sqrt(np.clip(lit, 0, _BRIGHTEST)) - flat[pixel])


def _exposed(scene: Floats) -> Floats:
    """Expose as a camera does: about half-way (on a log scale) to a middle grey face, highlights rolled off."""
    middle = slice(len(scene) // 3, 2 * len(scene) // 3)
    level = float(scene[middle, middle].mean())
    bright = scene * np.float32(np.clip((0.50 / max(level, 0.05)) ** 0.5, 0.8, 2.0))
    knee = np.float32(0.8)
    return np.minimum(bright, knee + np.float32(0.35) * (bright - knee))
