"""Run every benchmark, one after the other; each prints what it measured.

python -m benchmarks [NAME ...]
"""

import subprocess
import sys

BENCHMARKS = (
    "sampling_cost",
    "sensor_cost",
    "nvml_cost",
    "apple_cost",
    "peers",
    "agent_memory",
    "wire_bytes",
    "spool_writes",
    "protocol_cost",
    "startup_cost",
    "intake",
    "fleet",
    "remote_write",
    "exposition",
    "long_run",
    "observer",
    "llama_bench",
    "llama_server",
)


def main() -> int:
    """Run the benchmarks that are named, or all; return 1 if one failed."""
    names = sys.argv[1:] or BENCHMARKS
    if unknown := set(names) - set(BENCHMARKS):
        print(f"no such benchmark: {', '.join(sorted(unknown))}; choose from {', '.join(BENCHMARKS)}")
        return 2
    failed = []
    for name in names:
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
