"""Text from anywhere, made fit for a line of a log or a terminal."""


def printable(text: str) -> str:
    """The text with escapes for what would move a cursor, begin a line or turn the direction of writing."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
