"""Finds prose in Python: a page's sentences belong in a notebook, a template or a file of data.

A text is one expression of string literals: a literal, an f-string, or literals added by `+` or joined by `.join`;
what an f-string fills in counts as no word. Not counted: docstrings and other string statements, the messages of
errors (what a `raise` statement holds, and the arguments of a call whose name ends in Error, Unavailable, BadParameter,
fail or warn), and the help of the command line (arguments of Typer's and pydantic's functions below, and
values named `help` or `description`).
"""

import ast
import re

MAXIMUM = 35
"""Words: a caption may be as long."""

WORD = re.compile(r"(?<![^\s(*])[A-Za-z][\w'’-]*(?=[.,;:!?)*]{0,2}(?:\s|$))")
"""A word of a sentence: between blanks, punctuation aside; not the names and options of a configuration file."""
HOLE = " {} "
"""In place of what is filled in."""

MESSAGE = re.compile(r"(?:Error|Unavailable|BadParameter|fail|warn)$")
HELP = ("Option", "Argument", "Typer", "Field", "command", "callback")


def long_texts(source: str) -> list[tuple[int, str]]:
    """Return the number of words and the text of every text of Python source that is longer than MAXIMUM."""
    counted = [(len(WORD.findall(text)), text) for text in _texts(ast.parse(source))]
    return [(words, text) for words, text in counted if words > MAXIMUM]


def _texts(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        return []
    if isinstance(node, ast.Call) and _is_message_or_help(node.func):
        return []
    if isinstance(node, ast.keyword) and node.arg in ("help", "description"):
        return []
    if (text := _joined(node)) is not None:
        return [text]
    return [text for child in ast.iter_child_nodes(node) for text in _texts(child)]


def _is_message_or_help(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return bool(MESSAGE.search(name)) or name in HELP


def _joined(node: ast.AST) -> str | None:
    """The text of an expression of string literals; None for any other expression."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(_joined(part) or HOLE for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [_joined(node.left), _joined(node.right)]
        return "".join(part or HOLE for part in parts) if any(parts) else None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "join":
        lists = [argument for argument in node.args if isinstance(argument, ast.List | ast.Tuple)]
        parts = [_joined(each) for argument in lists for each in argument.elts]
        return " ".join(part or HOLE for part in parts) if any(parts) else None
    return None
