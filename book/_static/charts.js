// A figure that can be explored: its Vega-Lite specification, shown in the picture's place on request.
// Nothing is loaded before; where loading fails the picture stays.

const PROGRAMS = ["vega/build/vega.min.js", "vega-lite/build/vega-lite.min.js"];
const ink = { labelColor: "currentColor", titleColor: "currentColor", tickColor: "currentColor", domainColor: "currentColor" };
const config = (font) => ({  // the page's own colours, light or dark, and its letters
  background: null, font, view: { stroke: null },
  axis: { ...ink, gridColor: "currentColor", gridOpacity: 0.2, labelFontSize: 13, titleFontSize: 13, titleFontWeight: "normal" },
  legend: { ...ink, labelFontSize: 12, columnPadding: 6, layout: { top: { direction: "vertical", anchor: "start" } } },
});
let loading;

function load(program) {
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = new URL(`../charts/${program}`, import.meta.url);
    script.onload = done;
    script.onerror = () => failed(new Error(`${program} is not there`));
    document.head.append(script);
  });
}

function programs() {
  loading ||= PROGRAMS.reduce((before, program) => before.then(() => load(program)), Promise.resolve());
  loading.catch(() => { loading = undefined; });  // the next try begins anew
  return loading;
}

const make = (kind, properties) => Object.assign(document.createElement(kind), properties);

/** Show the specification at an address in place of a figure's picture; return a function that brings it back. */
export async function explore(figure, address) {
  const picture = figure.querySelector("img");
  const [specification] = await Promise.all([fetch(address).then((answer) => answer.json()), programs()]);
  const drawing = make("div", { className: "chart-drawing", tabIndex: 0 });
  drawing.setAttribute("role", "application");
  drawing.setAttribute("aria-label", `Chart: ${picture.alt} Arrow keys go from value to value.`);
  const choices = make("div", { className: "chart-choices" });
  const told = make("p", { className: "chart-told", textContent: "Arrow keys, a tap or the pointer tell a value." });
  told.setAttribute("aria-live", "polite");
  const chart = make("div", { className: "chart" });
  const container = make("div");  // Vega gives it a role and a name of its own
  drawing.append(container);
  chart.append(choices, drawing, told);
  picture.before(chart);
  try {
    const font = getComputedStyle(drawing).fontFamily;
    const { spec } = vegaLite.compile({ ...specification, description: picture.alt }, { config: config(font) });
    const loader = vega.loader({ baseURL: new URL(".", address).href });
    const view = new vega.View(vega.parse(spec), { renderer: "svg", container, bind: choices, hover: true, loader });
    await view.runAsync();
    letMove(drawing, told, view);
  } catch (error) {
    chart.remove();
    throw error;
  }
  picture.hidden = true;
  return () => { chart.remove(); picture.hidden = false; };
}

/** Tell the value of a mark that the keyboard, a tap or the pointer reaches. */
function letMove(drawing, told, view) {
  let place = -1;
  const marks = () => [...drawing.querySelectorAll(".mark-symbol path")].filter((mark) => mark.__data__?.datum?.told);
  const tell = (mark) => {
    for (const other of marks()) other.classList.toggle("chosen", other === mark);
    told.textContent = mark.__data__.datum.told;
  };
  drawing.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const all = marks();
    if (!step || !all.length) return;
    event.preventDefault();
    place = (Math.max(place, step > 0 ? -1 : 0) + step + all.length) % all.length;
    tell(all[place]);
  });
  for (const kind of ["mouseover", "click"]) {
    view.addEventListener(kind, (_, item) => { if (item?.datum?.told) told.textContent = item.datum.told; });
  }
}
