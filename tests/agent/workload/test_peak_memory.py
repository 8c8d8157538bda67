import os
import subprocess
import sys

import psutil
import pytest

from edgeprof_agent.workload.peak_memory import PeakMemory, VariantPeaks

MIB = 1 << 20
# Takes 64 MiB and gives them back before it says so.
BREATHE = "x = b'x' * (64 << 20); del x; print(flush=True); input()"


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels keep no mark of another process")
def test_the_mark_outlives_the_memory_and_the_process() -> None:
    peak = PeakMemory()
    with subprocess.Popen([sys.executable, "-c", BREATHE], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        peak.read(process.pid)
        assert psutil.Process(process.pid).memory_info().rss < 64 * MIB
        process.kill()
    peak.read(process.pid)
    assert peak.bytes is not None
    assert 64 * MIB < peak.bytes < 256 * MIB


def test_an_ended_process_that_is_not_reaped_tells_nothing() -> None:
    peak = PeakMemory()
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        peak.read(process.pid)
    assert peak.bytes is None


def test_the_largest_of_several_counts() -> None:
    peak = PeakMemory()
    peak.read(psutil.Process().pid)
    own = peak.bytes
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as small:
        assert small.stdout
        small.stdout.readline()
        peak.read(small.pid)
        small.kill()
    assert own is not None
    assert peak.bytes == own


def test_nothing_was_read_at_first() -> None:
    assert PeakMemory().bytes is None


def test_what_a_process_has_started_counts_with_it() -> None:
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BREATHE!r}])"
    alone, family = PeakMemory(), PeakMemory()
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        (child,) = psutil.Process(process.pid).children()
        alone.read(child.pid)
        family.read(process.pid)
        process.communicate()
    assert family.bytes is not None
    assert alone.bytes is not None
    assert family.bytes > alone.bytes


def test_a_process_that_has_loaded_two_variants_tells_of_none() -> None:
    peaks, pid = VariantPeaks(), os.getpid()
    assert peaks.read(pid, 0) is None
    peaks.note(pid, 0)
    assert peaks.read(pid, 0)
    peaks.note(pid, 1)
    assert (peaks.read(pid, 0), peaks.read(pid, 1)) == (None, None)
    peaks.note(None, 0)
    assert peaks.read(None, 0) is None
