"""Made-up pictures with landmarks: flat faces painted by code, of nobody."""

from pathlib import Path

import cv2
import numpy as np

from photograph_skins.landmarks import COUNT, LIPS, OUTLINE, head_places

SIZE = (480, 420)
_SCALE, _MIDDLE = 160.0, (210.0, 240.0)  # pixels per decimetre; where (0, 7.1) of the head lies


def to_pixels(places):
    return np.asarray(places) * (_SCALE, -_SCALE) + (_MIDDLE[0], _MIDDLE[1] + 7.1 * _SCALE)


def template_of(shift=(0.0, 0.0)):
    """Landmarks of a face that is the head itself seen from the front, in pixels; hairline points on an arc."""
    points = np.tile(to_pixels([[0, 7.1]]), (COUNT, 1))
    indices, places = head_places()
    points[indices] = to_pixels(places)
    arc = np.linspace(np.pi, 0, 11)
    points[134:145] = to_pixels(np.stack([0.72 * np.cos(arc), 7.42 + 0.55 * np.sin(arc)], 1))
    for between, (first, second) in {
        185: (109, 110),
        186: (110, 111),
        187: (112, 113),
        188: (113, 114),
    }.items():
        points[between] = (points[first] + points[second]) / 2
    return points + shift


def write_template(path: Path, points) -> Path:
    lines = [str(len(points)), *(f"{x:.3f} {y:.3f}" for x, y in points), "0"]
    path.write_text("\n".join(lines) + "\n")
    return path


def picture_of(points, skin=(190, 150, 130), lips=(150, 80, 80), side_light=0.0):
    """A flat face: skin within the outline, lips, dark brows; blue elsewhere. `side_light` brightens to the right."""
    picture = np.full((*SIZE, 3), (20, 40, 200), np.uint8)
    cv2.fillPoly(picture, [np.round(points[list(OUTLINE)]).astype(np.int32)], skin)
    cv2.fillPoly(picture, [np.round(points[list(LIPS)]).astype(np.int32)], lips)
    for brow in ([71, 72, 73, 74, 75, 76, 84, 83], [82, 81, 80, 79, 78, 77, 85, 86]):
        known = [place for place in brow if place not in (72, 81)]
        cv2.fillPoly(picture, [np.round(points[known]).astype(np.int32)], (40, 30, 25))
    slope = 1 + side_light * np.linspace(-1, 1, SIZE[1])[None, :, None]
    return np.clip(picture * slope, 0, 255).astype(np.uint8)


def photographs(folder: Path, count=7):
    """Write made-up photographs of so many women and men, and return their rows."""
    rows = []
    for sex in ("female", "male"):
        for number in range(count):
            name, points = f"{number:03d}{sex[0]}", template_of()
            skin = (150 + 10 * number, 130, 110)
            cv2.imwrite(
                str(folder / f"{name}.jpg"), cv2.cvtColor(picture_of(points, skin), cv2.COLOR_RGB2BGR)
            )
            write_template(folder / f"{name}.tem", points)
            rows.append({"path": f"{name}.jpg", "subject_id": f"made-up-{name}", "sex": sex})
    return rows
