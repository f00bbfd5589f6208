// Pictures from files and from the camera, as { data, width, height } with four bytes a pixel.

// Of a larger picture an old phone would need seconds for each crop; a face in it still has more pixels than a model sees
const LONGEST_SIDE = 2048;

// Read an image file; the browser turns it upright by its EXIF orientation.
export async function readPicture(file) {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await image.decode();
  } catch {
    throw new Error(`${file.name} cannot be read as a picture: choose a JPEG, PNG or WebP file`);
  } finally {
    URL.revokeObjectURL(image.src);
  }
  const shrink = Math.min(1, LONGEST_SIDE / Math.max(image.naturalWidth, image.naturalHeight));
  return drawn(image, Math.round(image.naturalWidth * shrink), Math.round(image.naturalHeight * shrink));
}

// The video's picture of this moment.
export const frameOf = (video) => drawn(video, video.videoWidth, video.videoHeight);

function drawn(source, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

// Put a picture on a canvas of the page, with a frame around the face if one is given.
export function showPicture(canvas, picture, face) {
  canvas.width = picture.width;
  canvas.height = picture.height;
  const context = canvas.getContext("2d");
  context.putImageData(picture, 0, 0);
  if (!face) return;
  context.lineWidth = Math.max(2, picture.width / 150);
  context.strokeStyle = "#de8f05";
  context.strokeRect(face.x, face.y, face.width, face.height);
}

// Put a crop of three numbers a pixel on a canvas of the page.
export function showCrop(canvas, crop, size) {
  canvas.width = canvas.height = size;
  const pixels = new ImageData(size, size);
  for (let pixel = 0; pixel < size * size; pixel++) {
    pixels.data.set([...crop.subarray(3 * pixel, 3 * pixel + 3), 255], 4 * pixel);
  }
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}
