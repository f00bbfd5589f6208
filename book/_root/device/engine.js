// LiteRT.js, fetched when it is first needed, on one thread; and models run by it.

let runtime;

// LiteRT.js writes its whole log to the console as errors: what is no error is told as a remark
const complain = console.error.bind(console);
console.error = (...said) => (/^(INFO|VERBOSE|WARNING)\b/.test(said[0]) ? console.debug(...said) : complain(...said));

export function loadRuntime() {
  runtime = runtime || start();
  runtime.catch(() => { runtime = undefined; });  // the next tap tries again
  return runtime;
}

async function start() {
  const litert = await import("@litertjs/core");
  // More threads would need headers that plain servers do not send, and the paper's phone is compared on one
  await withCompressed(() => litert.loadLiteRt(new URL("litert/core/wasm/", import.meta.url).href, { threads: false }));
  return litert;
}

// WebAssembly and models lie here compressed, since plain servers send files as they are
const unpacked = (response, headers) =>
  new Response(response.body.pipeThrough(new DecompressionStream("gzip")), { headers });

// LiteRT.js asks for WebAssembly by its plain name
async function withCompressed(task) {
  const plain = globalThis.fetch;
  globalThis.fetch = async (address, options) => {
    if (!String(address).endsWith(".wasm")) return plain(address, options);
    const response = await plain(`${address}.gzip`, options);
    if (!response.ok) return response;
    return unpacked(response, { "Content-Type": "application/wasm" });
  };
  try {
    return await task();
  } finally {
    globalThis.fetch = plain;
  }
}

// Which of its two builds LiteRT.js runs here.
export async function instructions() {
  const { supportsFeature } = await loadRuntime();
  return (await supportsFeature("relaxedSimd")) ? "relaxed SIMD" : "SIMD";
}

// LiteRT.js would not look at the server's answer
async function contentOf(file) {
  const response = await fetch(new URL(`models/${file}.gzip`, import.meta.url));
  if (!response.ok) throw new Error(`${file} is not there (HTTP ${response.status})`);
  return new Uint8Array(await unpacked(response).arrayBuffer());
}

export class Model {
  constructor(litert, compiled) {
    this.litert = litert;
    this.compiled = compiled;
    [this.input] = compiled.getInputDetails();
    if (this.input.dtype !== "float32") throw new Error(`the model takes ${this.input.dtype}, not float32`);
  }

  // Fetch a model below models/ and make it ready, for "wasm" or "webgpu"; `bytes`, if given, is the size that the file
  // must have. What the GPU cannot run whole, LiteRT.js runs on the processor: `onGpu` says which.
  static async load(file, bytes, accelerator = "wasm") {
    const [litert, content] = await Promise.all([loadRuntime(), contentOf(file)]);
    if (bytes && content.length !== bytes) throw new Error(`${file} is damaged: load the page again`);
    const model = new Model(litert, await litert.loadAndCompile(content, { accelerator, cpuOptions: { numThreads: 1 } }));
    model.onGpu = accelerator === "webgpu" && model.compiled.isFullyAccelerated;
    return model;
  }

  // Float32Array in, an array of Float32Arrays out, one for each output.
  async run(values) {
    const tensor = new this.litert.Tensor(values, Array.from(this.input.shape));
    const outputs = await this.compiled.run(tensor);
    const answers = [];
    for (const output of outputs) answers.push((await output.data()).slice());
    for (const used of [tensor, ...outputs]) used.delete();
    return answers;
  }

  delete() { this.compiled.delete(); }
}
