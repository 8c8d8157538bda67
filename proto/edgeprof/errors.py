"""Errors that a person is meant to read."""


class EdgeprofError(Exception):
    """Something a person can put right. Its text is one line: the cause, then the way out."""


class ConfigError(EdgeprofError):
    """A key or value in a configuration or plan file that is unknown or wrong."""
