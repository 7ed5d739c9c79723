"""What Babel does not find by itself: labels in the lists of choices of models, which carry no marker."""

import ast
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from babel.messages.extract import extract_python

HAN = re.compile(r"[\u3400-\u9fff]")
PAIR = 2


def python_with_labels(file: Any, keywords: Any, comment_tags: Any, options: Any) -> Iterator[Any]:
    """Everything Babel finds in a Python file, and the second of each pair ("phone", "电话")."""
    source = file.read()
    yield from extract_python(BytesIO(source), keywords, comment_tags, options)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Tuple) and len(node.elts) == PAIR:
            code, label = (one.value if isinstance(one, ast.Constant) else None for one in node.elts)
            if code is not None and isinstance(label, str) and HAN.search(label):
                yield node.lineno, "N_", label, []
