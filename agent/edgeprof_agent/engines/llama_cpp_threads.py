"""A pool of threads that lives as long as a context of llama.cpp, as llama.cpp's own programs have one.

Without it ggml makes a new one for every call: nothing for a prompt, but a tenth of a millisecond for each token.
llama-cpp-python declares none of these functions, though its libraries have them.
"""

from __future__ import annotations

import ctypes
from typing import Any

from .engine import EngineError
from .llama_cpp_binding import llama_cpp

# More than any struct ggml_threadpool_params of ggml.h: it is filled in by ggml, and only handed on.
_PARAMETERS_BYTES = 4096


class ThreadPool:
    """The CPU threads of one context.

    Raises:
        EngineError: the library has no CPU back end, or cannot start the threads.
    """

    def __init__(self, context: Any, threads: int) -> None:
        self._context = ctypes.c_void_p(context)
        self._library = llama_cpp._lib  # noqa: SLF001 - the binding declares none of these functions
        self._pool = self._start(threads)
        self._library.llama_attach_threadpool(self._context, self._pool, None)

    def close(self) -> None:
        """End the threads. To be called before the context is freed."""
        self._library.llama_detach_threadpool(self._context)
        free = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self._address("ggml_threadpool_free"))
        free(self._pool)

    def _start(self, threads: int) -> ctypes.c_void_p:
        parameters = ctypes.create_string_buffer(_PARAMETERS_BYTES)
        self._library.ggml_threadpool_params_init(parameters, ctypes.c_int(threads))
        new = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p)(self._address("ggml_threadpool_new"))
        pool = new(parameters)
        if not pool:
            raise EngineError(f"llama.cpp cannot start {threads} threads; set the option 'threads' to fewer")
        return ctypes.c_void_p(pool)

    def _address(self, name: str) -> int:
        """Where a function of the CPU back end is, whichever library that was loaded from."""
        registry = self._library.ggml_backend_reg_by_name
        registry.restype = ctypes.c_void_p
        address_of = self._library.ggml_backend_reg_get_proc_address
        address_of.restype = ctypes.c_void_p
        cpu = registry(b"CPU")
        address = address_of(ctypes.c_void_p(cpu), name.encode()) if cpu else None
        if not address:
            raise EngineError(f"this llama-cpp-python has no CPU back end with {name}; install another build")
        return int(address)
