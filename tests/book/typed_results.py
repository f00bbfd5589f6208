"""Finds measured or published numbers that somebody typed: prose takes those from tables by glue."""

import re

NOT_PROSE = re.compile(
    r"^(`{3,}|~{3,}).*?^\1\s*$"  # fenced code and directives
    r"|^:::.*?$"
    r"|<!--.*?-->"
    r"|(?:\{[\w:+-]+\})?`[^`]*`"  # roles and inline code
    r"|\]\([^)]*\)|<?https?://[^\s>)]+>?"
    r"|\[@[^\]]*\]",
    re.MULTILINE | re.DOTALL,
)
FACTS_OF_DESIGN = re.compile(
    r"Python 3\.11|(?:CC BY|License|OFL|version) \d\.\d|95\s?%\s+(?:confidence\s+)?intervals?|MobileNetV[23]",
    re.IGNORECASE,
)
RESULT = re.compile(
    r"\d+[.,]\d+"
    r"|\d\s?(?:%|percent\b|per cent\b|percentage points?\b|points?\b)"
    r"|\d\s?(?:ms|milliseconds?|seconds?|minutes?|s|kB|KiB|MB|MiB|megabytes?)\b"
)


def typed_results(markdown: str) -> list[str]:
    """Return every stretch of prose that looks like a typed result, with a few words around it."""
    prose = FACTS_OF_DESIGN.sub(" ", NOT_PROSE.sub(" ", markdown))
    return [prose[max(0, m.start() - 25) : m.end() + 15].strip() for m in RESULT.finditer(prose)]
