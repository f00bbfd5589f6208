// Pictures made smaller or larger, by the rules of OpenCV's resize (INTER_AREA, INTER_LINEAR) that Python uses.
// A picture is { data, width, height } with four bytes a pixel, as a canvas gives it.

// Return width x height pixels, three floats each from 0 to 255, rounded as bytes would be.
export function resized(picture, width, height) {
  const weights = width < picture.width || height < picture.height ? areaWeights : linearWeights;
  const columns = weights(picture.width, width);
  const rows = weights(picture.height, height);
  const narrow = new Float64Array(picture.height * width * 3);
  for (let y = 0; y < picture.height; y++) {
    columns.forEach((parts, x) => addUp(narrow, 3 * (y * width + x), picture.data, 4 * y * picture.width, 4, parts));
  }
  const result = new Float64Array(width * height * 3);
  rows.forEach((parts, y) => {
    for (let x = 0; x < width; x++) addUp(result, 3 * (y * width + x), narrow, 3 * x, 3 * width, parts);
  });
  return result.map(Math.round);
}

function addUp(target, at, source, start, stride, parts) {
  for (const [position, weight] of parts) {
    const from = start + position * stride;
    target[at] += weight * source[from];
    target[at + 1] += weight * source[from + 1];
    target[at + 2] += weight * source[from + 2];
  }
}

// For each of `to` cells the pixels that it covers and the share of each.
function areaWeights(from, to) {
  const scale = from / to;
  return Array.from({ length: to }, (_, cell) => {
    const start = cell * scale, end = Math.min(start + scale, from);
    const parts = [];
    for (let pixel = Math.floor(start); pixel < end; pixel++) {
      parts.push([pixel, (Math.min(pixel + 1, end) - Math.max(pixel, start)) / (end - start)]);
    }
    return parts;
  });
}

// For each of `to` cells the two pixels around its middle.
function linearWeights(from, to) {
  return Array.from({ length: to }, (_, cell) => {
    const middle = Math.min(Math.max(((cell + 0.5) * from) / to - 0.5, 0), from - 1);
    const pixel = Math.floor(middle);
    return [[pixel, 1 - (middle - pixel)], [Math.min(pixel + 1, from - 1), middle - pixel]];
  });
}
