"""The agent as a service of the operating system: what install-service writes, and uninstall-service removes."""
