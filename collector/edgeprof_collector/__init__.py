"""The collector: stores what agents stream, explains it, and shows it."""
