"""What goes wrong with a store, for a person to read."""

from edgeprof.errors import EdgeprofError


class StoreError(EdgeprofError):
    """The store cannot be opened, read or written. The text names the file, the cause and the way out."""


class NotFoundError(EdgeprofError):
    """Nothing of this name is stored."""
