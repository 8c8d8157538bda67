"""Webhooks: whoever wants to know is told when a job has ended."""
