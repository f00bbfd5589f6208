"""Faces that show nothing, and faces too blurred to read, among frames of video.

The measure of blur is LAPV of Pech-Pacheco et al. 2000 (doi 10.1109/ICPR.2000.903548), the variance of the picture's
Laplacian, over the variance of the picture itself, so that dim light does not look like blur. It is measured on the face
that was cut out, since a face may move before a sharp background.
"""

from typing import Final

import cv2
import numpy as np

from face_sets.images import Pixels, resize

SIDE: Final = 112
"""Side to which a larger face is shrunk first, pixels: what is finer says more of the camera than of the face."""

LEAST: Final = 0.015
"""Sharpness of a face that is used, at least. The authors give no threshold. Of 102 London photographs, shrunk to faces
80 and 160 pixels wide, as JPEG, and at 0.4 of their brightness too, 95 in 100 had over 0.046. A Gaussian blur of 2.5 % of
the face's width left less than 0.015 in 95 of 100, one of 1.5 % 0.007 to 0.019, motion over 12 % 0.005 to 0.026."""

LEAST_RANGE: Final = 10
"""Levels of 255 that the middle eight tenths of a face's pixels span at least, in one colour: what spans less, 4 % of the
range, shows no face that anybody could read (60 London photographs span 79 and more). Outside them may lie a time stamp
or a thin border, which would make a blank face look full; noise is averaged out first, by shrinking the face."""

BLANK_SIDE: Final = 32
"""Side to which a face is shrunk before its levels are compared, pixels: noise of 8 levels at 100 pixels counts as none."""


def is_blank(face: Pixels) -> bool:
    """Return whether a face, uint8 (height, width, 3), is black, white or of nearly one colour all over."""
    low, high = np.percentile(resize(face, BLANK_SIDE), (10, 90), axis=(0, 1))
    return bool((high - low).max() < LEAST_RANGE)


def sharpness(face: Pixels) -> float:
    """Return how sharp a square face is: uint8 (side, side, 3) in, a number from 0 for a flat picture up."""
    grey = cv2.cvtColor(resize(face, min(SIDE, face.shape[0])), cv2.COLOR_RGB2GRAY)
    contrast = float(grey.var())
    return float(cv2.Laplacian(grey, cv2.CV_64F).var()) / contrast if contrast else 0.0


def is_blurred(face: Pixels) -> bool:
    """Return whether a square face, uint8 (side, side, 3), is less sharp than LEAST."""
    return sharpness(face) < LEAST
