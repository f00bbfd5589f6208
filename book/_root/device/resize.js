// Pictures made smaller or larger, by the rules of OpenCV's resize (INTER_AREA, INTER_LINEAR) that Python uses.
// A picture is { data, width, height } with four bytes a pixel, as a canvas gives it.

// Return width x height pixels, three numbers each from 0 to 255, rounded as bytes would be.
export function resized(picture, width, height) {
  const smaller = width < picture.width || height < picture.height;
  const weights = smaller ? areaWeights : linearWeights;
  const columns = weights(picture.width, width), rows = weights(picture.height, height);
  const narrow = new Float64Array(picture.height * width * 3);
  for (let y = 0; y < picture.height; y++) {
    addUp(narrow, 3 * y * width, 3, picture.data, 4 * y * picture.width, 4, columns);
  }
  const result = new Float64Array(width * height * 3);
  for (let x = 0; x < width; x++) addUp(result, 3 * x, 3 * width, narrow, 3 * x, 3 * width, rows);
  return result.map(Math.round);
}

// Write one line of cells: each is the weighted sum of neighbouring pixels of one line, `step` numbers apart.
function addUp(target, at, targetStep, source, from, step, { starts, shares, reach }) {
  for (let cell = 0; cell < starts.length; cell++) {
    let red = 0, green = 0, blue = 0;
    for (let k = 0; k < reach; k++) {
      const share = shares[cell * reach + k];
      if (share === 0) continue;  // beyond the last pixel there is none
      const pixel = from + (starts[cell] + k) * step;
      red += share * source[pixel];
      green += share * source[pixel + 1];
      blue += share * source[pixel + 2];
    }
    const place = at + cell * targetStep;
    target[place] = red;
    target[place + 1] = green;
    target[place + 2] = blue;
  }
}

// For each of `to` cells the first pixel that it covers, and the share of that and the next `reach` - 1 pixels.
function areaWeights(from, to) {
  const scale = from / to, reach = Math.ceil(scale) + 1;
  const starts = new Int32Array(to), shares = new Float64Array(to * reach);
  for (let cell = 0; cell < to; cell++) {
    const start = cell * scale, end = Math.min(start + scale, from);
    starts[cell] = Math.floor(start);
    for (let k = 0; k < reach; k++) {
      const covered = Math.min(starts[cell] + k + 1, end) - Math.max(starts[cell] + k, start);
      shares[cell * reach + k] = Math.max(covered, 0) / (end - start);
    }
  }
  return { starts, shares, reach };
}

// The same for the two pixels around each cell's middle.
function linearWeights(from, to) {
  const starts = new Int32Array(to), shares = new Float64Array(to * 2);
  for (let cell = 0; cell < to; cell++) {
    const middle = Math.min(Math.max(((cell + 0.5) * from) / to - 0.5, 0), from - 1);
    starts[cell] = Math.floor(middle);
    shares[2 * cell + 1] = middle - starts[cell];
    shares[2 * cell] = 1 - shares[2 * cell + 1];
  }
  return { starts, shares, reach: 2 };
}
