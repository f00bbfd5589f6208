// What pages can do beyond showing: sort and save long tables, filter claims, show all code, follow the theme.
// Without JavaScript everything is there, and what is folded opens.

const ownAddress = document.currentScript.src;
const make = (kind, properties) => Object.assign(document.createElement(kind), properties);
const texts = (row) => [...row.cells].map((cell) => cell.textContent.trim());

/** The value by which a cell is sorted: a number where it begins with one. */
function value(text) {
  const number = parseFloat(text.replaceAll(",", ""));
  return Number.isNaN(number) ? text : number;
}

/** Sphinx leaves numbers out of a search; here they are what a reader looks for. "65.78" is two of its words. */
function searchNumbers() {
  const parse = Search._parseQuery;
  Search._parseQuery = (query) => {
    const parsed = parse(query);
    splitQuery(query.trim()).filter((word) => /^\d+$/.test(word)).forEach((word) => parsed[1].add(word));
    return parsed;
  };
}

if (typeof Search !== "undefined") searchNumbers();

function sortBy(table, column, head) {
  const up = head.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  const rows = [...table.tBodies[0].rows].sort((one, other) =>
    (up ? 1 : -1) * compare(value(texts(one)[column]), value(texts(other)[column])));
  table.tBodies[0].append(...rows);
}

function makeSortable(table) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = make("button", { type: "button", className: "sort", textContent: head.textContent });
    button.addEventListener("click", () => sortBy(table, column, head));
    head.replaceChildren(button);
  });
}

/** The table as CSV: fields in quotes where they hold a comma, a quote or a line break. */
function csv(table) {
  const quote = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [...table.rows].map((row) => texts(row).map(quote).join(",")).join("\n") + "\n";
}

function makeSaveable(table, name) {
  const button = make("button", { type: "button", className: "save", textContent: "Save as CSV" });
  button.addEventListener("click", () => {
    const href = URL.createObjectURL(new Blob([csv(table)], { type: "text/csv" }));
    make("a", { href, download: `${name}.csv` }).click();
    URL.revokeObjectURL(href);
  });
  table.closest(".table-scroll").before(button);
}

/** A region that scrolls is a keyboard stop with a name, any other is no stop. */
function markScrolling() {
  const regions = [...document.querySelectorAll(".table-scroll, .pst-scrollable-table-container, div.highlight pre")];
  const wide = regions.map((region) => region.scrollWidth > region.clientWidth + 1);  // all read before any is changed
  regions.forEach((region, place) => {
    if (wide[place]) {
      region.tabIndex = 0;
      region.setAttribute("role", "region");
      if (!region.hasAttribute("aria-label")) region.setAttribute("aria-label", scrollingName(region));
    } else region.removeAttribute("tabindex");
  });
}

function scrollingName(region) {
  const place = [...document.querySelectorAll(region.tagName)].indexOf(region) + 1;
  return region.tagName === "PRE" ? `Code ${place}` : `Table ${place}: ${region.textContent.trim().split("\n")[0]}`;
}

function makeFilter(claims) {
  const field = make("input", { type: "search", placeholder: "Filter claims" });
  field.setAttribute("aria-label", "Filter claims by a word");
  field.addEventListener("input", () => {
    const word = field.value.toLowerCase();
    for (const claim of claims.querySelectorAll(".claim")) claim.hidden = !claim.textContent.toLowerCase().includes(word);
    for (const group of claims.querySelectorAll(".claims-of-a-verdict")) if (word) group.open = true;
  });
  claims.before(field);
}

/** One button for all code of a page: until it is pressed book.css hides the folds, too, which spares a reader many stops. */
function makeCodeButton(folds) {
  const button = make("button", { type: "button", className: "all-code", textContent: "Show the code of this page" });
  const article = document.querySelector("article");
  const set = (shown) => {
    button.setAttribute("aria-pressed", String(shown));
    article.classList.toggle("with-code", shown);
    for (const fold of folds) fold.open = shown;
  };
  button.addEventListener("click", () => set(button.getAttribute("aria-pressed") !== "true"));
  set(false);
  article.querySelector("h1").after(button);
}

/** A figure's link to its specification becomes a button that shows it as a chart to explore, and the picture again. */
function makeExplorable(link) {
  const button = make("button", { type: "button", className: "explore", textContent: "Explore the chart" });
  const failed = make("span", { role: "status" });
  const figure = link.closest("figure");
  let close;
  button.addEventListener("click", async () => {
    if (close) close = close();
    else {
      try {
        const { explore } = await import(new URL("charts.js", ownAddress));
        close = await explore(figure, link.href);
      } catch {
        failed.textContent = "The chart could not be loaded; the picture shows the same values.";
        return;
      }
    }
    failed.textContent = "";
    button.textContent = close ? "Show the picture" : "Explore the chart";
  });
  link.replaceWith(button, failed);
}

document.addEventListener("DOMContentLoaded", () => {
  for (const link of document.querySelectorAll('.source-line a[href$=".vl.json"]')) makeExplorable(link);
  for (const table of document.querySelectorAll("details.long-table table")) {
    const title = table.caption || table.closest("details").querySelector("summary").firstChild;
    makeSortable(table);
    makeSaveable(table, title.textContent.trim().replace(/[^A-Za-z0-9]+/g, "-"));
  }
  for (const claims of document.querySelectorAll(".claims")) makeFilter(claims);
  const folds = [...document.querySelectorAll("article .cell details.hide")];
  if (folds.length) makeCodeButton(folds);
  for (const link of document.querySelectorAll("a.headerlink")) link.tabIndex = -1;  // the table of contents has them
  const seen = new Set();
  const repeating = [...document.querySelectorAll("#pst-primary-sidebar a[href], article a[href], .prev-next-area a[href]")];
  const inSight = repeating.map((link) => link.checkVisibility({ visibilityProperty: true }));
  repeating.forEach((link, place) => {  // one stop for links in sight that lead to one place
    if (seen.has(link.href)) link.tabIndex = -1;
    if (inSight[place]) seen.add(link.href);
  });
  document.querySelector("button.search-button-field")?.removeAttribute("aria-label");  // it hides the words shown
  for (const entry of document.querySelectorAll('[role="doc-biblioentry"]')) entry.setAttribute("role", "listitem");  // it is deprecated
  const sidebar = document.querySelector("#pst-primary-sidebar");
  sidebar?.setAttribute("role", "navigation");
  sidebar?.setAttribute("aria-label", "Book");
  markScrolling();
  addEventListener("resize", markScrolling);
  for (const fold of document.querySelectorAll("details")) fold.addEventListener("toggle", markScrolling);
});
