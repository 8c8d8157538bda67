import os
import sys
from pathlib import Path

import pytest

from edgeprof_agent.engines import page_cache
from edgeprof_agent.engines.page_cache import page_cache_ratio

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
FILE_BYTES = 16 * 1024 * 1024 + 1


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    path.write_bytes(bytes(FILE_BYTES))
    return path


def test_a_file_just_written_is_in_memory(file: Path) -> None:
    assert page_cache_ratio(file) == 1.0


def test_windows_add_up(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_cache, "_WINDOW_BYTES", 16 * PAGE_BYTES)
    assert page_cache_ratio(file) == 1.0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="posix_fadvise is how Linux is told to drop a file")
def test_what_the_kernel_dropped_is_not(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, FILE_BYTES // 2, os.POSIX_FADV_DONTNEED)
    ratio = page_cache_ratio(file)
    if ratio == 1.0:
        pytest.skip("this filesystem is memory: nothing can be dropped from it")
    assert ratio is not None
    assert 0.4 < ratio < 0.6


def test_an_empty_file_has_no_share(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert page_cache_ratio(tmp_path / "empty") is None
