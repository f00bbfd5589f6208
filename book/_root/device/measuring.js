// The lower half of the page: "measure this device", and the result to take away.

import { instructions, loadRuntime } from "./engine.js";
import { clockStep, coldStartOf, describeDevice, gpuTimeOf, quantile, sustainedOf, timesOf } from "./measure.js";

const FORMAT = "fer browser measurements 1";  // read by packages/arm_latency/arm_latency/browser_results.py

const byId = (id) => document.getElementById(id);

export class Measuring {
  constructor(data, classifier) {
    this.data = data;
    this.models = data.models.filter((entry) => entry.ofThisRun);  // times belong to a run; the released model has none
    this.classifier = classifier;
    this.stopping = null;
    for (const [id, task] of [["device-measure", () => this.measureAll()], ["device-sustain", () => this.sustain()]]) {
      const words = byId(id).textContent;
      byId(id).addEventListener("click", () => (this.stopping ? this.stopping.abort() : this.run(byId(id), words, task)));
    }
    byId("device-copy").addEventListener("click", copy);
  }

  // One task at a time; its button stops it.
  async run(button, words, task) {
    this.stopping = new AbortController();
    button.textContent = "Stop measuring";
    byId("device-progress").hidden = false;
    try {
      await task();
    } catch (error) {
      say(error.name === "AbortError" ? "Stopped: nothing was kept." : `It could not be measured: ${error.message}`);
    } finally {
      this.stopping = null;
      button.textContent = words;
      byId("device-progress").hidden = true;
    }
  }

  get following() {
    const progress = (done, all) => Object.assign(byId("device-progress"), { value: done, max: all });
    return { signal: this.stopping.signal, progress };
  }

  async measureAll() {
    byId("device-result").hidden = true;
    const rows = [];
    for (const entry of this.models) rows.push(await this.measureModel(entry));
    this.show(await this.result(rows), rows);
    say("Done. The times stand below, and the result can be copied.");
  }

  async measureModel(entry) {
    say(`Measuring ${entry.label} ...`);
    const { warmUps, runs } = this.data;
    const options = { warmUps, runs, ...this.following };
    await loadRuntime();
    const coldStart = await coldStartOf(entry);
    const times = await timesOf(await this.classifier.model(entry), options);
    const [q25, median, q75, p90] = [0.25, 0.5, 0.75, 0.9].map((share) => quantile(times, share));
    return { entry, times, q25, median, q75, p90, coldStart, gpu: await gpuTimeOf(entry, options) };
  }

  async sustain() {
    const [entry] = this.models, seconds = Number(byId("device-seconds").value) || 60;
    say(`Running ${entry.label} for ${seconds} seconds ...`);
    const found = await sustainedOf(await this.classifier.model(entry), { seconds, ...this.following });
    const change = 100 * (found.last / found.first - 1);
    say(`${entry.label}, ${found.runs} runs in ${seconds} seconds: median ${found.first.toFixed(1)} ms in the first fifth `
      + `and ${found.last.toFixed(1)} ms in the last, ${Math.abs(change).toFixed(0)} % ${change < 0 ? "faster" : "slower"}.`);
  }

  async result(rows) {
    const { litert, profile, faces, warmUps } = this.data;
    return {
      format: FORMAT, profile, faces,
      measured_at: new Date().toISOString(),
      device: await describeDevice(byId("device-name").value.replace(/[<>|\p{Cc}\p{Cf}]/gu, "").trim()),
      runtime: `LiteRT.js ${litert}`, instructions: await instructions(), threads: 1, clock_step_ms: clockStep(),
      models: rows.map(({ entry, times, q25, median, q75 }) => ({
        run_id: entry.runId, digest: entry.digest, size_bytes: entry.bytes, image_size: entry.imageSize, warm_ups: warmUps,
        median_ms: median, quartile_low_ms: q25, quartile_high_ms: q75, times_ms: times,
      })),
    };
  }

  show(result, rows) {
    const body = byId("device-times").tBodies[0];
    body.replaceChildren();
    for (const { entry, median, q25, q75, p90, coldStart, gpu } of rows) {
      const row = body.insertRow();
      row.append(Object.assign(document.createElement("th"), { scope: "row", textContent: entry.label }));
      for (const time of [median, q25, q75, p90, coldStart, gpu]) {
        Object.assign(row.insertCell(), { className: "number", textContent: time === null ? "—" : time.toFixed(1) });
      }
    }
    const text = JSON.stringify(result, null, 1);
    byId("device-json").value = text;
    URL.revokeObjectURL(byId("device-save").href);
    byId("device-save").href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    byId("device-result").hidden = false;
  }
}

async function copy() {
  const field = byId("device-json");
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    say("Copied.");
  } catch {
    say("The result is selected: copy it with the browser's own command.");  // no clipboard without HTTPS
  }
}

function say(sentence) {
  byId("device-measured").textContent = sentence;
}
