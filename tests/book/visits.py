"""A page of the rendered book in a browser's tab."""

from local_server import AXE_ADDRESS

DESK, PHONE = 1280, 390  # pixels
FIRST = "book/index.html"
CHECK = """async ([part, options]) => (await axe.run(part, options)).violations.flatMap(
    rule => rule.nodes.map(node => rule.id + ': ' + node.html.slice(0, 100)))"""
VIOLATIONS_ONLY = {"resultTypes": ["violations"], "selectors": False, "preload": {"assets": ["media"]}}
"""What axe-core need not collect: details of what passes, and style sheets, which no rule on by default reads."""
NOTE_SHIFTS = """window.shifted = 0;
new PerformanceObserver(list => list.getEntries().forEach(each => { if (!each.hadRecentInput) shifted += each.value }))
    .observe({type: 'layout-shift', buffered: true})"""


def stages(pages):
    return [name for name in pages if name.startswith("book/stages/0")]


class Visit:
    """A page seen in a tab of its own, with what it asked for elsewhere, what it loaded from here and what it complained of.

    The tab is one of a window, or of a browser, which then keeps nothing of earlier pages.

    The page itself sums, as `shifted`, how far it moved while it was loaded (https://web.dev/articles/cls).
    """

    def __init__(self, window, origin, width, scheme="light"):
        self.foreign, self.complaints, self.loaded, self.origin = [], [], [], origin
        self.page = window.new_page()
        self.page.set_viewport_size({"width": width, "height": 844})
        self.page.emulate_media(color_scheme=scheme)
        self.page.add_init_script(NOTE_SHIFTS)
        self.page.on("request", self._request)
        self.page.on("requestfinished", self._finished)
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _request(self, request):
        if not request.url.startswith((f"{self.origin}/", "data:", "blob:")):
            self.foreign.append(request.url)

    def _finished(self, request):
        if request.url.startswith(self.origin) and not request.url.endswith(AXE_ADDRESS):
            self.loaded.append(request.url.removeprefix(self.origin))

    def open(self, name):
        """Load a page and draw it: its scripts have run."""
        self.page.goto(f"{self.origin}/{name}")
        self.page.evaluate("document.fonts.ready.then(() => new Promise(requestAnimationFrame))")

    def add_axe(self):
        """Have the page hold axe-core."""
        self.page.add_script_tag(url=f"{self.origin}{AXE_ADDRESS}")

    def violations(self, part="html", **options):
        """What axe-core finds wrong in a part of the page, which must hold it."""
        return self.page.evaluate(CHECK, [part, VIOLATIONS_ONLY | options])
