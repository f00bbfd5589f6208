// How long one inference takes: warm-up, then single runs, and their summary; the first one; on the GPU; and for long.

import { Model } from "./engine.js";

// Return the milliseconds of each run, from input handed over to answer in hand. `progress(done, of)` reports how far
// it is; `signal` stops it with an error.
export async function timesOf(model, { warmUps, runs, signal, progress }) {
  const values = inputOf(model);
  const times = [];
  for (let run = 0; run < warmUps + runs; run++) {
    if (signal.aborted) throw new DOMException("stopped", "AbortError");
    const start = performance.now();
    await model.run(values);
    const time = performance.now() - start;
    if (run >= warmUps) times.push(time);
    progress(run + 1, warmUps + runs);
    await pause();  // the page stays awake; the next run begins afresh
  }
  return times;
}

// Milliseconds from the request for a model's file to its first answer; the runtime is loaded already.
export async function coldStartOf({ file, bytes }) {
  const start = performance.now();
  const model = await Model.load(file, bytes);
  await model.run(inputOf(model));
  const time = performance.now() - start;
  model.delete();
  return time;
}

// The median on the GPU by WebGPU, milliseconds; null where there is none or it cannot run the whole model.
export async function gpuTimeOf({ file, bytes }, options) {
  if (!(await navigator.gpu?.requestAdapter().catch(() => null))) return null;
  let model;
  try {
    model = await Model.load(file, bytes, "webgpu");
    return model.onGpu ? quantile(await timesOf(model, options), 0.5) : null;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    console.debug(`WebGPU: ${error.message}`);
    return null;
  } finally {
    model?.delete();
  }
}

// The median of the first and of the last fifth of a run without pauses of some seconds, milliseconds: a device that
// grows warm slows down.
export async function sustainedOf(model, { seconds, signal, progress }) {
  const values = inputOf(model);
  const times = [];
  const begin = performance.now(), ends = [0, 1, 4, 5].map((fifth) => fifth * 200 * seconds);
  for (let at = 0; at < ends[3]; at = performance.now() - begin) {
    if (signal.aborted) throw new DOMException("stopped", "AbortError");
    const start = performance.now();
    await model.run(values);
    times.push([at, performance.now() - start]);
    progress(at, ends[3]);
    if (times.length % 10 === 0) await pause();  // or the page could not be stopped
  }
  const median = (from, to) => quantile(times.filter(([at]) => at >= from && at <= to).map(([, time]) => time), 0.5);
  return { first: median(ends[0], ends[1]), last: median(ends[2], ends[3]), runs: times.length };
}

// Some input of the right size: what it shows does not change the time.
const inputOf = (model) => Float32Array.from({ length: model.input.shape.reduce((a, b) => a * b, 1) }, (_, k) => (k * 37) % 256);

// Linear between the two nearest of the sorted times, as NumPy's quantile.
export function quantile(times, share) {
  const sorted = [...times].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share, below = Math.floor(place);
  const above = sorted[Math.min(below + 1, sorted.length - 1)];
  return sorted[below] + (place - below) * (above - sorted[below]);
}

// The clock's smallest step here, milliseconds: browsers coarsen it, each in its own way.
export function clockStep() {
  let smallest = Infinity;
  for (let n = 0; n < 20; n++) {
    const start = performance.now();
    let now = start;
    while (now === start) now = performance.now();
    smallest = Math.min(smallest, now - start);
  }
  return smallest;
}

// What the browser tells of the device; `name` is what the reader calls it.
export async function describeDevice(name) {
  const hints = navigator.userAgentData;  // Chrome and its kin, on HTTPS or localhost
  const hinted = hints ? await hints.getHighEntropyValues(["model", "platformVersion"]).catch(() => ({})) : {};
  return {
    name: name || hinted.model || null,
    platform: hinted.platform ? `${hinted.platform} ${hinted.platformVersion || ""}`.trim() : navigator.platform || null,
    browser: navigator.userAgent,
    processors: navigator.hardwareConcurrency || null,
  };
}

const pause = () => new Promise((done) => setTimeout(done));
