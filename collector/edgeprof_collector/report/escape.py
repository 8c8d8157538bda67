"""JSON that can stand inside a page's script element."""

import msgspec
from markupsafe import Markup

# With these escaped, no text in the data can end the element or begin a comment, whatever a device sent.
_ESCAPES = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def json_for_script(value: object) -> Markup:
    """``value`` as JSON, safe between ``<script type="application/json">`` and its end tag."""
    text = msgspec.json.encode(value).decode().translate(_ESCAPES)
    return Markup(text)  # noqa: S704 - the characters that HTML minds are escaped above
