"""Expressions that this project does not use: each has a plain word of standard scientific English in its place."""

import re

INSTEAD = {
    r"not to be had|cannot be had|can be had|may be had|could not be had": "(not) available",
    r"\b(?:one|a) (?:row|column|line|panel|section|colour) an? [a-z]+\b(?! of)": "one ... per ...",
    r"\b(?:milliseconds?|seconds?|images?|photographs?) an? (?:face|image|child|run|file|photograph)\b": "per",
    r"\bone (?:job|test|setting|picture|figure|network|model|file|step) a (?:row|line|child|run|file)\b": "one per",
    r"\b(?:test|shuffling|analysis|tests) speaks?\b|\bspeaks in\b": "rejects, is significant in",
    r"\bby heart\b": "memorised",
    r"\bcame in\b": "were ingested",
    r"\b[Mm]end(?:ed|s|ing)?\b": "fix",
    r"\b[Nn]othing (?:was|is) to (?:do|be done)\b": "nothing to do",
    r"\bdrawn by lot\b": "sampled at random",
    r"\bkeeps? what (?:it|they) promises?\b": "has its nominal coverage",
    r"\blessons?\b": "finding, conclusion",
    r"\b(?:told|tells?) apart\b": "distinguished",
    r"\bmade[- ]up (?:face|child|children|set|study|phone|number|name|data|table)s?\b": "synthetic, simulated, fake",
    r"\bdrawn faces?\b|\bfaces? (?:are|were|is) drawn\b|\bdraws? faces\b": "rendered, synthetic",
    r"\bfound out\b": "determined",
    r"\blaid (?:by|aside)\b": "kept, put",
    r"\b(?:told|tell) (?:\w+ )?from (?:zero|its|their|each|one|guessing|chance)\b": "distinguished from",
    r"\b(?:is|are|was|were|be) read (?:right|wrong|less well|equally well)\b": "classified correctly, wrongly",
    r"\bread (?:right|wrong) by\b": "classified correctly by",
    r"\bnamed wrongly\b": "classified wrongly",
    r"\bin(?:to)? the dark\b": "in dark mode",
}
"""Regular expression to what stands in its place."""

BANNED = re.compile("|".join(expression.replace(" ", r"\s+") for expression in INSTEAD))


def banned_words(text: str) -> list[str]:
    """Return every banned expression of a text, in its order."""
    return [match.group() for match in BANNED.finditer(text)]
