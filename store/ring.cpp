// Reads are handed to the kernel together, once all that the worker has to do now has had its turn.
#include "store/ring.hpp"

#include <array>
#include <utility>
#include <vector>

#include <liburing.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "store/descriptor.hpp"

namespace store {

struct Ring::State {
  explicit State(base::Executor& worker) : home(worker) {}
  ~State() {
    if (is_open) io_uring_queue_exit(&ring);
  }

  base::Executor& home;
  io_uring ring{};
  bool is_open = false;
  Descriptor event;
  std::array<Ended, reads_max> ended;  // by slot, which the kernel gives back
  std::vector<std::uint32_t> free_slots;
  bool submit_posted = false;
};

std::unique_ptr<Ring> Ring::open(base::Executor& home) {
  auto state = std::make_unique<State>(home);
  // Without interrupting the worker: it comes by often enough. Kernels before 5.19 do not know
  // that.
  for (const unsigned flags : {unsigned{IORING_SETUP_COOP_TASKRUN}, 0u}) {
    if (!state->is_open) {
      state->is_open = io_uring_queue_init(reads_max, &state->ring, flags) == 0;
    }
  }
  if (!state->is_open) return nullptr;
  state->event = Descriptor(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!state->event.is_open() ||
      io_uring_register_eventfd(&state->ring, state->event.number()) != 0) {
    return nullptr;
  }
  for (std::uint32_t slot = 0; slot < reads_max; ++slot)
    state->free_slots.push_back(slot);
  return std::unique_ptr<Ring>(new Ring(std::move(state)));
}

Ring::Ring(std::unique_ptr<State> state) : state_(std::move(state)) {}
Ring::~Ring() = default;

bool Ring::has_room() const {
  return !state_->free_slots.empty();
}

int Ring::descriptor() const {
  return state_->event.number();
}

void Ring::read(int file, base::ByteOffset at, base::ByteSpan into, Ended ended) {
  // There are as many entries as slots, and a slot is free.
  io_uring_sqe* entry = io_uring_get_sqe(&state_->ring);
  const std::uint32_t slot = state_->free_slots.back();
  state_->free_slots.pop_back();
  state_->ended[slot] = std::move(ended);
  io_uring_prep_read(entry, file, into.data(), static_cast<unsigned>(into.size()), at.value);
  io_uring_sqe_set_data64(entry, slot);
  submit_soon();
}

void Ring::submit_soon() {
  if (std::exchange(state_->submit_posted, true)) return;
  state_->home.post([this] { submit(); });
}

void Ring::submit() {
  state_->submit_posted = false;
  io_uring_submit(&state_->ring);
  // The kernel has no memory for them just now.
  if (io_uring_sq_ready(&state_->ring) != 0) submit_soon();
}

void Ring::take_ended() {
  std::uint64_t count = 0;
  // Nothing to read: somebody was told already.
  if (::read(state_->event.number(), &count, sizeof count) < 0) count = 0;
  io_uring_cqe* entry = nullptr;
  while (io_uring_peek_cqe(&state_->ring, &entry) == 0) {
    const auto slot = static_cast<std::uint32_t>(io_uring_cqe_get_data64(entry));
    const std::int64_t result = entry->res;
    io_uring_cqe_seen(&state_->ring, entry);
    Ended ended = std::move(state_->ended[slot]);
    state_->free_slots.push_back(slot);
    ended(result);
  }
}

}  // namespace store
