"""Measures memory bandwidth in a process of its own and prints it as one line of JSON."""

import argparse
import json
import sys

from edgeprof_agent.ceilings.kernels import copy_kernels, read_kernels
from edgeprof_agent.ceilings.rounds import fastest, filled_buffer


def main() -> None:
    """Measure on the threads, the buffer and the time given."""
    parser = argparse.ArgumentParser(prog="python -m edgeprof_agent.ceilings", description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", required=True, help="counts of threads to try")
    parser.add_argument("--bytes", type=int, required=True, help="size of the buffer, shared by the threads")
    parser.add_argument("--seconds", type=float, required=True, help="time for all rounds together")
    arguments = parser.parse_args()
    with filled_buffer(arguments.bytes, max(arguments.threads)) as address:
        where = (arguments.threads, address, arguments.bytes, arguments.seconds / 2)
        read = fastest(read_kernels(), *where)
        copy = fastest(copy_kernels(), *where)
    result = {
        "read_kernel": read.kernel,
        "read_threads": read.threads,
        "read_bytes_per_second": read.bytes_per_second,
        "copy_kernel": copy.kernel,
        "copy_threads": copy.threads,
        "copy_bytes_per_second": copy.bytes_per_second,
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
