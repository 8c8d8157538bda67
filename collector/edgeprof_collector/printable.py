"""Text from anywhere, made fit for a line of a log or a terminal."""

import logging


def printable(text: str) -> str:
    """Put escapes in the place of what would move a cursor, begin a line or turn the direction of writing."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


class PrintableFormatter(logging.Formatter):
    """Keeps every message on one line and free of control characters, whatever a device has put into it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  the library's name
        """Format the line; a traceback, which is the collector's own, follows it as it is."""
        record.message = printable(record.message)
        return super().formatMessage(record)
