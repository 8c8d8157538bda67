"""The agent: samples a device, runs workloads on it, and streams both to a collector."""
