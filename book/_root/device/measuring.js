// The lower half of the page: "measure this device", and the result to take away.

import { instructions, loadRuntime } from "./engine.js";
import { clockStep, coldStartOf, describeDevice, quantile, timesOf } from "./measure.js";

const FORMAT = "fer browser measurements 1";  // read by packages/arm_latency/arm_latency/browser_results.py

const byId = (id) => document.getElementById(id);

export class Measuring {
  constructor(data, classifier) {
    this.data = data;
    this.models = data.models.filter((entry) => entry.ofThisRun);  // times belong to a run; the released model has none
    this.classifier = classifier;
    this.stopping = null;
    byId("device-measure").addEventListener("click", () => (this.stopping ? this.stopping.abort() : this.measure()));
    byId("device-copy").addEventListener("click", copy);
  }

  async measure() {
    this.stopping = new AbortController();
    byId("device-measure").textContent = "Stop measuring";
    byId("device-result").hidden = true;
    byId("device-progress").hidden = false;
    try {
      const rows = [];
      for (const entry of this.models) rows.push(await this.measureModel(entry));
      this.show(await this.result(rows), rows);
      say("Done. The times stand below, and the result can be copied.");
    } catch (error) {
      say(error.name === "AbortError" ? "Stopped: nothing was kept." : `It could not be measured: ${error.message}`);
    } finally {
      this.stopping = null;
      byId("device-measure").textContent = "Measure this device";
      byId("device-progress").hidden = true;
    }
  }

  async measureModel(entry) {
    say(`Measuring ${entry.label} ...`);
    const { warmUps, runs } = this.data;
    const progress = (done, all) => Object.assign(byId("device-progress"), { value: done, max: all });
    await loadRuntime();
    const coldStart = await coldStartOf(entry);
    const model = await this.classifier.model(entry);
    const times = await timesOf(model, { warmUps, runs, signal: this.stopping.signal, progress });
    const [q25, median, q75, p90] = [0.25, 0.5, 0.75, 0.9].map((share) => quantile(times, share));
    return { entry, times, q25, median, q75, p90, coldStart };
  }

  async result(rows) {
    const { litert, profile, faces, warmUps } = this.data;
    return {
      format: FORMAT, profile, faces,
      measured_at: new Date().toISOString(),
      device: await describeDevice(byId("device-name").value.trim()),
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
    result.models.forEach((model, k) => {
      const row = body.insertRow();
      row.append(Object.assign(document.createElement("th"), { scope: "row", textContent: this.models[k].label }));
      for (const time of [model.median_ms, model.quartile_low_ms, model.quartile_high_ms, rows[k].p90, rows[k].coldStart]) {
        Object.assign(row.insertCell(), { className: "number", textContent: time.toFixed(1) });
      }
    });
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
