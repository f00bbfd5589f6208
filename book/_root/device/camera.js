// The camera: its picture in a video element, and one reading after another while it runs.

import { frameOf } from "./picture.js";

export const CAMERA_NEEDS = "The camera needs a page that comes by HTTPS or from this very device (localhost); a picture can be chosen all the same.";

export const cameraIsHere = () => Boolean(navigator.mediaDevices && navigator.mediaDevices.getUserMedia);

export class Camera {
  constructor(video) {
    this.video = video;
    this.stream = null;
  }

  get isOn() { return this.stream !== null; }

  // Ask for the camera that looks at the one who holds the device.
  async start() {
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: "user", width: { ideal: 640 } } });
    this.video.srcObject = this.stream;
    await this.video.play();
  }

  stop() {
    if (this.stream) this.stream.getTracks().forEach((track) => track.stop());
    this.stream = this.video.srcObject = null;
  }

  // Hand frame after frame to `read` until the camera is stopped; the device rests between them.
  async follow(read) {
    while (this.isOn) {
      await read(frameOf(this.video));
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}

export function whyNoCamera(error) {
  if (error.name === "NotAllowedError") return "The camera was not allowed: allow it in the browser's settings for this page, or choose a picture.";
  if (error.name === "NotFoundError") return "This device has no camera: choose a picture.";
  return `The camera could not be started (${error.message}): choose a picture.`;
}
