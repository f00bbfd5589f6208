// The upper half of the page: a picture or the camera, and the seven bars.

import { Camera, CAMERA_NEEDS, cameraIsHere, whyNoCamera } from "./camera.js";
import { readPicture, showCrop, showPicture } from "./picture.js";

const SPOKEN_EVERY_MS = 4000;  // a screen reader takes about that long for a sentence

const byId = (id) => document.getElementById(id);
const percent = (share) => `${(100 * share).toFixed(1)} %`;

export class Reading {
  constructor(data, classifier) {
    this.data = data;
    this.classifier = classifier;
    this.camera = new Camera(byId("device-video"));
    this.picture = null;
    this.attempts = 0;
    this.starting = false;
    this.spokenAt = 0;
    this.rows = data.expressions.map(addRow);
    for (const [number, { label, bytes }] of data.models.entries()) {
      byId("device-model").add(new Option(`${label} (${(bytes / 1e6).toFixed(1)} MB)`, number));
    }
    byId("device-model").addEventListener("change", () => this.picture && this.attempt());
    byId("device-picture").addEventListener("change", (event) => this.choose(event.target.files[0]));
    byId("device-camera").addEventListener("click", () => (this.camera.isOn ? this.stopCamera() : this.startCamera()));
    document.addEventListener("visibilitychange", () => document.hidden && this.camera.isOn && this.stopCamera());
    if (!cameraIsHere()) {
      byId("device-camera").disabled = true;
      say(CAMERA_NEEDS);
    }
  }

  get entry() { return this.data.models[byId("device-model").value]; }

  async choose(file) {
    if (!file) return;
    if (this.camera.isOn) this.stopCamera();
    this.picture = readPicture(file);
    await this.attempt();
  }

  // Read a picture and show the answer, unless something else was asked for since: one model loads longer than another.
  async attempt() {
    const attempt = ++this.attempts;
    const { entry, picture: opening } = this;
    say("Loading the models ...");
    try {
      const picture = await opening;
      const answer = await this.classifier.read(picture, entry);
      if (attempt === this.attempts) this.show(picture, answer);
    } catch (error) {
      if (attempt !== this.attempts) return;
      byId("device-answer").hidden = true;
      say(error.message);
    }
  }

  show(picture, answer) {
    const canvas = byId("device-canvas");
    canvas.hidden = false;
    showPicture(canvas, picture, answer && answer.face);
    this.tell(answer);
    say(answer ? this.sentence(answer) : "No face was found: choose a picture in which a face is seen from the front.");
  }

  async startCamera() {
    if (this.starting) return;
    this.starting = true;
    say("Loading the models ...");
    try {
      await this.classifier.both(this.entry);
      await this.camera.start();
    } catch (error) {
      say(error instanceof DOMException ? whyNoCamera(error) : error.message);
      return;
    } finally {
      this.starting = false;
    }
    this.picture = null;
    this.attempts += 1;
    byId("device-canvas").hidden = true;
    this.cameraShown(true);
    try {
      await this.camera.follow(async (frame) => this.tellFrame(await this.classifier.read(frame, this.entry)));
    } catch (error) {
      this.stopCamera();
      say(error.message);
    }
  }

  stopCamera() {
    this.camera.stop();
    this.cameraShown(false);
    say("The camera is off.");
  }

  cameraShown(isOn) {
    byId("device-video").hidden = !isOn;
    byId("device-camera").textContent = isOn ? "Stop the camera" : "Use the camera";
    this.spokenAt = 0;
  }

  tellFrame(answer) {
    if (!this.camera.isOn) return;  // stopped while the frame was read
    this.tell(answer);
    if (performance.now() - this.spokenAt < SPOKEN_EVERY_MS) return;
    this.spokenAt = performance.now();
    say(answer ? this.sentence(answer) : "No face is in sight.");
  }

  tell(answer) {
    byId("device-answer").hidden = !answer;
    if (!answer) return;
    byId("device-record").textContent = recordOf(answer.entry);
    showCrop(byId("device-crop"), answer.crop, answer.entry.imageSize);
    this.rows.forEach(({ bar, number }, k) => {
      bar.style.width = `${100 * answer.probabilities[k]}%`;
      number.textContent = percent(answer.probabilities[k]);
    });
    byId("device-time").textContent =
      `Finding and cutting out the face took ${answer.faceMs.toFixed(1)} ms, the model ${answer.answerMs.toFixed(1)} ms.`;
  }

  sentence({ probabilities }) {
    const best = probabilities.indexOf(Math.max(...probabilities));
    return `The model's first choice is ${this.data.expressions[best]}, with ${percent(probabilities[best])}.`;
  }
}

// How far the answer can be trusted: what the model did on photographs of real people, of which it saw none in training.
function recordOf({ record }) {
  if (!record) return "This run had no photographs of real people, so how often this model is right on them is not known.";
  const [neutral, ofNeutral] = record.neutral, [smiling, ofSmiling] = record.happiness;
  return `On photographs of real adults this model named ${neutral} of ${ofNeutral} neutral and ${smiling} of ${ofSmiling} smiling faces.`;
}

function addRow(expression) {
  const row = byId("device-bars").tBodies[0].insertRow();
  const head = Object.assign(document.createElement("th"), { scope: "row", textContent: expression });
  const bar = Object.assign(document.createElement("span"), { className: "device-bar" });
  row.append(head);
  row.insertCell().append(bar);
  const number = row.insertCell();
  number.className = "number";
  return { bar, number };
}

function say(sentence) {
  byId("device-status").textContent = sentence;
}
