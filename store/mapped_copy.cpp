#include "store/mapped_copy.hpp"

#include <atomic>
#include <csetjmp>
#include <csignal>
#include <cstring>
#include <mutex>

namespace store {
namespace {

// Where a copy of this thread goes on when a page is missing; null: none is under way.
thread_local sigjmp_buf* landing = nullptr;
struct sigaction handler_before {};

// Of the access that is being made, and not sent by somebody or for some time later.
bool is_of_this_access(const siginfo_t& info) {
  return info.si_code > 0 && info.si_code != BUS_MCEERR_AO;
}

void on_bus_error(int signal, siginfo_t* info, void* /*context*/) {
  const bool ours = is_of_this_access(*info);
  if (ours && landing != nullptr) siglongjmp(*landing, 1);
  // Nothing of ours: whoever was there before hears of it, by the access when it happens again.
  sigaction(SIGBUS, &handler_before, nullptr);
  if (!ours) raise(signal);
}

}  // namespace

void catch_missing_pages() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction ours {};
    ours.sa_sigaction = on_bus_error;
    // The handler is left by a jump that does not put the mask back, so nothing is masked.
    ours.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigemptyset(&ours.sa_mask);
    sigaction(SIGBUS, &ours, &handler_before);
  });
}

bool copy_mapped(const std::uint8_t* from, base::ByteSpan into) {
  sigjmp_buf here;
  if (sigsetjmp(here, 0) != 0) {
    landing = nullptr;
    return false;
  }
  landing = &here;
  std::atomic_signal_fence(std::memory_order_seq_cst);  // the copy stays between the two
  std::memcpy(into.data(), from, into.size());
  std::atomic_signal_fence(std::memory_order_seq_cst);
  landing = nullptr;
  return true;
}

}  // namespace store
