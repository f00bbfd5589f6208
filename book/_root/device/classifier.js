// From a picture to seven probabilities: find the largest face, cut it out, ask a model.

import { cropFace } from "./crop.js";
import { Detector } from "./detector.js";
import { Model } from "./engine.js";

export class Classifier {
  constructor(data) {
    this.data = data;
    this.models = new Map();
  }

  // The model of one entry of data.models, fetched once.
  model({ file, bytes }) {
    if (!this.models.has(file)) {
      const loading = Model.load(file, bytes);
      loading.catch(() => this.models.delete(file));  // the next tap tries again
      this.models.set(file, loading);
    }
    return this.models.get(file);
  }

  async detector() {
    const { detector } = this.data;
    return new Detector(await this.model(detector), detector);
  }

  // The detector and the model of an entry. If one fails, the other has ended too: the next tap loads both anew.
  async both(entry) {
    const loading = [this.detector(), this.model(entry)];
    await Promise.allSettled(loading);
    return Promise.all(loading);
  }

  // Return { entry, face, crop, probabilities, faceMs, answerMs }, or null where no face is found.
  async read(picture, entry) {
    const [detector, model] = await this.both(entry);
    const start = performance.now();
    const [face] = await detector.detect(picture);
    if (!face) return null;
    const crop = cropFace(picture, face, entry.imageSize, this.data.crop);
    const found = performance.now();
    const [probabilities] = await model.run(crop);
    return { entry, face, crop, probabilities, faceMs: found - start, answerMs: performance.now() - found };
  }
}
