"""An environment in which programs on glibc and libstdc++ place their memory alike.

Programs that do the same still differ in where their memory lies, and are faster or slower for it as long as they live:

- ggml takes its work buffer by ``new uint8_t[]``, which is on a boundary of 16. Where that is no boundary of 32, a
  prefill of 512 tokens takes 5 to 6 % longer; what the program allocated before decides. So arrays are put on a
  boundary of 64.
- Small pages lie as scattered as the kernel's free memory was when they were taken. Of two llama-benches alike, the one
  that loaded first decoded 3 to 5 % slower. So huge pages are asked for.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

_SOURCE = Path(__file__).with_name("aligned_arrays.cpp")


@contextmanager
def placed_alike() -> Iterator[None]:
    """Have the programs that are started until the end of the block place their memory alike."""
    with tempfile.TemporaryDirectory() as folder:
        library = f"{folder}/aligned_arrays.so"
        subprocess.run(["c++", "-O2", "-shared", "-fPIC", "-o", library, _SOURCE], check=True)
        with patch.dict(os.environ, LD_PRELOAD=library, GLIBC_TUNABLES="glibc.malloc.hugetlb=1"):
            yield
