"""What both ends of the stream must agree on before they say anything else."""

# Sent in Hello and Welcome; raised when an end of the older version could misunderstand the newer one.
PROTOCOL_VERSION = 1
