//===- Cancel.h - Flags that end work ---------------------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_ENGINE_CANCEL_H
#define LLAMA_RUNTIME_ENGINE_CANCEL_H

#include <algorithm>
#include <array>
#include <atomic>
#include <span>

namespace llamart {

/// Set by whoever wants work to end: any thread, and signal handlers.
using CancelFlag = std::atomic<bool>;
static_assert(CancelFlag::is_always_lock_free, "signal handlers set it");

/// One that work is done for: any of its flags says that it is not wanted.
struct Beneficiary {
  std::array<const CancelFlag *, 3> flags = {}; ///< null: there is none

  bool isCancelled() const {
    return std::ranges::any_of(flags, [](const CancelFlag *flag) {
      return flag && flag->load(std::memory_order_relaxed);
    });
  }
};

/// Whether nobody is left that work is done for. If nobody is named, somebody
/// always is.
inline bool isUnwanted(std::span<const Beneficiary> beneficiaries) {
  return !beneficiaries.empty() &&
         std::ranges::all_of(beneficiaries, &Beneficiary::isCancelled);
}

} // namespace llamart

#endif // LLAMA_RUNTIME_ENGINE_CANCEL_H
