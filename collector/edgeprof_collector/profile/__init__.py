"""A profile of this device: an embedded collector and agent, one job, and its verdict."""
