// Says what is missing where the page cannot run, else starts it. Written for browsers of any age.
(function () {
  var folder = document.currentScript.src.replace(/[^/]*$/, "");
  var parts = document.querySelectorAll(".device-part");
  // A small program that uses one SIMD instruction: valid only where WebAssembly has them
  var simd = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];

  function missing() {
    if (!("noModule" in document.createElement("script"))) return "JavaScript modules";
    if (HTMLScriptElement.supports && !HTMLScriptElement.supports("importmap")) return "import maps";
    if (typeof WebAssembly !== "object") return "WebAssembly";
    if (!WebAssembly.validate(new Uint8Array(simd))) return "WebAssembly with SIMD instructions";
    if (typeof DecompressionStream !== "function") return "decompression streams";
    return "";
  }

  function say(sentence) {
    var note = document.getElementById("device-note");
    note.className = "absent";
    note.textContent = sentence;
    note.hidden = false;
  }

  function add(type, attribute, value) {
    var script = document.createElement("script");
    script.type = type;
    script[attribute] = value;
    document.body.appendChild(script);
  }

  if (!document.getElementById("device-data")) return;  // the page says above what is not there
  if (location.protocol === "file:") {
    return say("This page was opened from a disk, and from there browsers load no models: run `make serve` and open it at the address that it prints.");
  }
  if (missing()) {
    return say("This browser cannot run the models, because it lacks " + missing() + ". Chrome and Edge from version 91, Firefox from 113 and Safari from 16.4 have what it takes.");
  }
  add("importmap", "textContent", JSON.stringify({ imports: {
    "@litertjs/core": folder + "litert/core/dist/index.js",
    "@litertjs/wasm-utils": folder + "litert/wasm-utils/dist/index.js"
  } }));
  add("module", "src", folder + "page.js");
  for (var k = 0; k < parts.length; k++) parts[k].hidden = false;
})();
