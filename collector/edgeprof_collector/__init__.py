"""The collector: stores what agents stream, explains it, and shows it."""

import os

# Read when gRPC is imported. It writes a line for each failed handshake, with which any stranger could fill the log.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
