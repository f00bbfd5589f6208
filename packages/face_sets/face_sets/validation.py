"""What is wrong, in one sentence: strict YAML, pydantic's first problem, a program's last line."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError


def first_problem(error: ValidationError) -> str:
    """Return the first problem that pydantic found as one line: where it is, and what is wrong.

    >>> from pydantic import BaseModel
    >>> class Study(BaseModel):
    ...     epochs: int
    >>> try:
    ...     Study(epochs="many")
    ... except ValidationError as error:
    ...     print(first_problem(error))
    epochs: Input should be a valid integer, unable to parse string as an integer
    """
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def last_line(output: str) -> str:
    """Return the last line of a program's output that is not blank."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "nothing was printed"


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping that a YAML file holds. Raises ValueError, in one sentence that names the file."""
    content = yaml_content(path)
    if not isinstance(content, dict):
        raise ValueError(f"{path.name} must hold one mapping of keys to values")
    return content


def yaml_content(path: Path) -> Any:
    """Return what a YAML file holds; a key that is given twice is an error, not the last one wins.

    Raises ValueError, in one sentence that names the file.
    """
    try:
        return yaml.load(
            path.read_text(encoding="utf-8"), Loader=_UniqueKeys
        )  # a subclass of the safe loader
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ValueError(f"{path.name} is not YAML: {' '.join(str(error).split())}") from error


class _UniqueKeys(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [str(key.value) for key, _ in node.value]
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise ValueError(f"{', '.join(twice)} stands twice in one mapping")
        return super().construct_mapping(node, deep)
