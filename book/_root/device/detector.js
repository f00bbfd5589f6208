// BlazeFace, decoded as fer_utils/data/detection.py does it. A face is { x, y, width, height, score, keyPoints }
// in pixels of the picture; keyPoints begins with the person's right eye and left eye.

import { resized } from "./resize.js";

export class Detector {
  constructor(model, settings) {
    this.model = model;
    this.settings = settings;
    this.anchors = anchorCentres(settings);
  }

  // Return the faces in a picture, the largest first.
  async detect(picture) {
    const { size, scoreThreshold, overlapThreshold } = this.settings;
    const { square, scale, left, top } = letterboxed(picture, size);
    const outputs = await this.model.run(square);
    const [logits, regressors] = outputs.sort((a, b) => a.length - b.length);  // one and 16 numbers an anchor
    const found = [];
    logits.forEach((logit, anchor) => {
      const score = 1 / (1 + Math.exp(-Math.min(Math.max(logit, -100), 100)));
      if (score < scoreThreshold) return;
      const raw = regressors.subarray(16 * anchor, 16 * anchor + 16);
      found.push({ score, row: decoded(raw, this.anchors[anchor], size, scale, left, top) });
    });
    return merged(found, overlapThreshold).map(asFace).sort((a, b) => area(b) - area(a) || b.score - a.score);
  }
}

// Centres as shares of the input's side, the finest map first.
export function anchorCentres({ size, anchorsACell }) {
  const centres = [];
  for (const [stride, count] of anchorsACell) {
    for (let y = 0; y < size / stride; y++) {
      for (let x = 0; x < size / stride; x++) {
        for (let n = 0; n < count; n++) centres.push([((x + 0.5) * stride) / size, ((y + 0.5) * stride) / size]);
      }
    }
  }
  return centres;
}

// The picture centred on a black square as the network's input in -1 to 1.
function letterboxed(picture, size) {
  const scale = size / Math.max(picture.width, picture.height);
  const width = Math.max(1, halfToEven(picture.width * scale));
  const height = Math.max(1, halfToEven(picture.height * scale));
  const left = Math.floor((size - width) / 2), top = Math.floor((size - height) / 2);
  const small = resized(picture, width, height);
  const square = new Float32Array(size * size * 3).fill(-1);
  for (let y = 0; y < height; y++) {
    const row = small.subarray(3 * y * width, 3 * (y + 1) * width);
    square.set(row.map((value) => value / 127.5 - 1), 3 * ((top + y) * size + left));
  }
  return { square, scale, left, top };
}

function halfToEven(value) {  // as Python rounds
  const below = Math.floor(value);
  return value - below === 0.5 ? below + (below % 2) : Math.round(value);
}

// Eight points as x and y in pixels of the picture: two corners of the box, then six key points.
function decoded(raw, [anchorX, anchorY], size, scale, left, top) {
  const x = raw[0] / size + anchorX, y = raw[1] / size + anchorY;
  const halfWidth = raw[2] / size / 2, halfHeight = raw[3] / size / 2;
  const points = [x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight];
  for (let k = 4; k < 16; k += 2) points.push(raw[k] / size + anchorX, raw[k + 1] / size + anchorY);
  return points.map((value, k) => (value * size - (k % 2 ? top : left)) / scale);
}

// Non-maximum suppression that averages the boxes of one face by score.
function merged(found, overlapThreshold) {
  let rest = [...found].sort((a, b) => b.score - a.score);
  const faces = [];
  while (rest.length) {
    const [best] = rest;
    const group = rest.filter((other) => other === best || overlap(best.row, other.row) > overlapThreshold);
    const total = group.reduce((sum, { score }) => sum + score, 0);
    const row = best.row.map((_, k) => group.reduce((sum, one) => sum + one.score * one.row[k], 0) / total);
    faces.push({ score: best.score, row });
    rest = rest.filter((other) => !group.includes(other));
  }
  return faces;
}

function overlap(a, b) {  // intersection over union
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const shared = width * height;
  const union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared;
  return union > 0 ? shared / union : 0;
}

function asFace({ score, row }) {
  const keyPoints = [];
  for (let k = 4; k < 16; k += 2) keyPoints.push([row[k], row[k + 1]]);
  return { x: row[0], y: row[1], width: row[2] - row[0], height: row[3] - row[1], score, keyPoints };
}

const area = (face) => face.width * face.height;
