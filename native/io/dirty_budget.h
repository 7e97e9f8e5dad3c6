// The kernel's limit of dirty pages, and what of it we allow ourselves.
// Thread: any, blocking (it reads small files of the kernel).
#pragma once

#include <cstdint>

namespace sluice::io {

// From half way between its background limit and its limit on, Linux makes writers wait (balance_dirty_pages). Half of that: others write too, and
// what is dirty has to be written back before it becomes more. The memory of a control group (version 2) counts where it is less than the machine's.
int64_t DirtyBudgetOfKernel();

}  // namespace sluice::io
