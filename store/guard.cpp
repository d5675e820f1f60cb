// The guard as a store: every write passes the gate; everything else goes straight to the store
// below.
#include "store/guard.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "store/faults.hpp"
#include "store/guard_state.hpp"
#include "store/snapshot.hpp"

namespace store {
namespace {

// Leaves the gate at the end of a scope.
class Inside {
 public:
  Inside(WriteGate& gate, WriteGate::Ticket ticket) : gate_(gate), ticket_(ticket) {}
  ~Inside() { gate_.leave(ticket_); }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  WriteGate& gate_;
  const WriteGate::Ticket ticket_;
};

}  // namespace

Guard::Guard(std::unique_ptr<Store> inner, std::unique_ptr<Store> side, GuardSettings settings)
    : state_(std::make_shared<GuardState>(std::move(inner), std::move(side), settings)) {}

Guard::~Guard() = default;

void Guard::protect(std::vector<base::Extent> extents, base::Executor& pool,
                    base::UniqueFunction<void()> on_lost, Protected done) {
  const auto outside = [this](const base::Extent& extent) { return !lies_within(extent, size()); };
  if (std::any_of(extents.begin(), extents.end(), outside)) return done(nullptr);
  auto snapshot =
      std::make_shared<GuardSnapshot>(state_, state_->add(std::move(extents), std::move(on_lost)));
  if (state_->gate().idle()) {
    snapshot->record().armed = true;
    return done(std::move(snapshot));
  }
  pool.post([state = state_, snapshot = std::move(snapshot), done = std::move(done)]() mutable {
    state->arm(snapshot->record());
    done(std::move(snapshot));
  });
}

Guard::WriteSection::WriteSection(Guard& guard, base::Extent extent)
    : guard_(guard), extent_(extent), gate_ticket_(guard.state_->enter_saving(extent)) {}

Guard::WriteSection::~WriteSection() {
  guard_.state_->gate().leave(gate_ticket_);
}

Piece Guard::WriteSection::piece() const {
  return {&guard_.state_->inner(), extent_.offset};
}

GuardCounters Guard::counters() const {
  return state_->counters();
}

base::ByteCount Guard::size() const {
  return state_->inner().size();
}

std::uint32_t Guard::alignment_bytes() const {
  return state_->inner().alignment_bytes();
}

std::string Guard::describe() const {
  return state_->inner().describe();
}

StoreResult<> Guard::read(base::ByteOffset at, base::ByteSpan into) {
  return state_->inner().read(at, into);
}

StoreResult<> Guard::write(base::ByteOffset at, base::ByteView from, Durability durability) {
  const base::Extent extent = extent_of(at, from);
  if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
  const Inside inside(state_->gate(), state_->enter_saving(extent));
  return state_->inner().write(at, from, durability);
}

StoreResult<> Guard::write_zeros(base::Extent extent) {
  if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
  const Inside inside(state_->gate(), state_->enter_saving(extent));
  return state_->inner().write_zeros(extent);
}

StoreResult<> Guard::flush() {
  return state_->inner().flush();
}

StoreResult<> Guard::try_read(base::ByteOffset at, base::ByteSpan into) {
  return state_->inner().try_read(at, into);
}

StoreResult<> Guard::try_write(base::ByteOffset at, base::ByteView from) {
  const base::Extent extent = extent_of(at, from);
  if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
  const auto ticket = state_->enter_if_clear(extent);
  if (!ticket) return fault(StoreError::Kind::would_block);
  const Inside inside(state_->gate(), *ticket);
  return state_->inner().try_write(at, from);
}

std::optional<base::ByteView> Guard::lend(base::Extent extent) {
  return state_->inner().lend(extent);
}

}  // namespace store
