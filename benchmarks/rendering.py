"""How many synthetic faces one core renders, finds and crops a second, by the side of the crop."""

import time

import cv2

from face_sets.detection import FaceDetector, crop_face, largest_face
from rendered_faces.design import Design, plan_faces
from rendered_faces.portrait import render_face

COUNT, SIDES, SHARE = 280, (80, 128, 224), 0.8  # a crop is about this share of the rendered frame


def main() -> None:
    """Print one line for each side."""
    cv2.setNumThreads(1)
    rows = plan_faces(Design()).iloc[:COUNT].to_dict("records")
    detector = FaceDetector()
    render_face(rows[0], 100)  # the head is read once
    for side in SIDES:
        start = time.process_time()
        missed = 0
        for row in rows:
            picture = render_face(row, round(side / SHARE))
            face = largest_face(detector.detect(picture))
            missed += face is None
            if face is not None:
                crop_face(picture, face, side)
        seconds = time.process_time() - start
        print(f"{side} pixels: {COUNT / seconds:.0f} faces a CPU second, {missed} of {COUNT} not found")


if __name__ == "__main__":
    main()
