// Arrays of bytes on a boundary of 64, in place of libstdc++'s, which are on one of 16: for LD_PRELOAD.
#include <cstddef>
#include <new>

static constexpr std::align_val_t boundary{64};

void *operator new[](std::size_t size) { return ::operator new(size, boundary); }
void operator delete[](void *array) noexcept { ::operator delete(array, boundary); }
void operator delete[](void *array, std::size_t) noexcept { ::operator delete(array, boundary); }
