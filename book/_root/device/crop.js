// A face cut out of a picture by the rule written at the head of fer_utils/data/detection.py (steps 2 to 7).

// Return size x size pixels as a Float32Array of three numbers each, whole, from 0 to 255.
export function cropFace(original, face, size, { margin, spacing, smoothing }) {
  const side = margin * Math.max(face.width, face.height);
  const parts = Math.max(1, Math.floor(side / size));
  const step = side / (size * parts);  // pixels of the picture between samples
  const picture = step > spacing ? smoothed(original, smoothing) : original;
  const [[rightX, rightY], [leftX, leftY]] = face.keyPoints;
  const angle = Math.atan2(leftY - rightY, leftX - rightX);
  const alongX = step * Math.cos(angle), alongY = step * Math.sin(angle);
  const half = (size * parts) / 2 - 0.5;  // from the first sample to the crop's centre, in samples
  const startX = face.x + face.width / 2 - 0.5 - half * (alongX - alongY);
  const startY = face.y + face.height / 2 - 0.5 - half * (alongY + alongX);
  const sums = new Float64Array(size * size * 3);
  for (let row = 0; row < size * parts; row++) {
    for (let column = 0; column < size * parts; column++) {
      const x = startX + column * alongX - row * alongY, y = startY + column * alongY + row * alongX;
      addSample(sums, 3 * (Math.floor(row / parts) * size + Math.floor(column / parts)), picture, x, y);
    }
  }
  return Float32Array.from(sums, (sum) => Math.round(sum / (parts * parts)));
}

// The picture with each pixel weighed against its neighbours along rows and columns, rounded once.
function smoothed({ data, width, height }, weights) {
  const rows = new Float32Array(data.length), whole = new Uint8ClampedArray(data.length);
  const pass = (from, to, length, stride, other, otherStride, finish) => {
    for (let line = 0; line < other; line++) {
      for (let place = 0; place < length; place++) {
        const at = line * otherStride + place * stride;
        const before = at - (place > 0 ? stride : 0), after = at + (place < length - 1 ? stride : 0);
        for (let k = 0; k < 3; k++) {
          to[at + k] = finish(weights[0] * from[before + k] + weights[1] * from[at + k] + weights[2] * from[after + k]);
        }
      }
    }
  };
  pass(data, rows, width, 4, height, 4 * width, (value) => value);
  pass(rows, whole, height, 4 * width, width, 4, Math.round);
  return { data: whole, width, height };
}

// Bilinear between pixels' middles; beyond the border the nearest pixel counts.
function addSample(sums, at, { data, width, height }, x, y) {
  const left = Math.floor(x), top = Math.floor(y);
  const right = x - left, down = y - top;
  const x0 = within(left, width), x1 = within(left + 1, width);
  const y0 = within(top, height) * width, y1 = within(top + 1, height) * width;
  const a = 4 * (y0 + x0), b = 4 * (y0 + x1), c = 4 * (y1 + x0), d = 4 * (y1 + x1);
  for (let k = 0; k < 3; k++) {
    const above = data[a + k] * (1 - right) + data[b + k] * right;
    const below = data[c + k] * (1 - right) + data[d + k] * right;
    sums[at + k] += above * (1 - down) + below * down;
  }
}

const within = (position, length) => Math.min(Math.max(position, 0), length - 1);
