"""A document as JSON that people read, too: indented, but each row of numbers on one line."""

import json
import re
from typing import Any

# Strings hold no line breaks in JSON, so this is never a part of one.
ROW = re.compile(r"\[\n\s*(-?\d[^\[\]{}\"]*?)\n\s*\]")


def json_text(document: Any) -> str:
    """
    Raises:
        ValueError: a number is NaN or infinity, which JSON has not.
    """
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    return ROW.sub(lambda row: f"[{' '.join(row[1].split())}]", text)
