"""What ends a run early."""

from edgeprof.errors import EdgeprofError


class LimitReachedError(EdgeprofError):
    """A limit of the plan or of the device was reached. The text names the figure and the limit."""
