"""A page of the rendered book in a browser window."""

NOTE_SHIFTS = """window.shifted = 0;
new PerformanceObserver(list => list.getEntries().forEach(each => { if (!each.hadRecentInput) shifted += each.value }))
    .observe({type: 'layout-shift', buffered: true})"""


class Visit:
    """A page seen in a window of its own, with what it asked for elsewhere and what it complained of.

    The page itself sums, as `shifted`, how far it moved while it was loaded (https://web.dev/articles/cls).
    """

    def __init__(self, browser, origin, width, scheme="light"):
        self.foreign, self.complaints, self.origin = [], [], origin
        self.page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
        self.page.add_init_script(NOTE_SHIFTS)
        self.page.on("request", self._request)
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _request(self, request):
        if not request.url.startswith((f"{self.origin}/", "data:", "blob:")):
            self.foreign.append(request.url)

    def open(self, name):
        """Load a page and draw it: its scripts have run."""
        self.page.goto(f"{self.origin}/{name}")
        self.page.evaluate("document.fonts.ready.then(() => new Promise(requestAnimationFrame))")

    def open_until_silent(self, name):
        """Load a page and wait until it has asked for nothing for half a second."""
        self.page.goto(f"{self.origin}/{name}", wait_until="networkidle")
