"""The contract between the agent on a device and the collector: messages, metrics and plans."""

__version__ = "0.1.0"
