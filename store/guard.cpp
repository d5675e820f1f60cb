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

// The longest stretch zeroed at once: readers and writers of it wait meanwhile.
constexpr base::ByteCount zeros_piece{32u << 20};

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
    : Guard(std::move(inner), std::move(side), settings, nullptr) {}

Guard::Guard(std::unique_ptr<Store> inner, std::unique_ptr<Store> side, GuardSettings settings,
             std::unique_ptr<SideJournal> journal)
    : state_(std::make_shared<GuardState>(std::move(inner), std::move(side), settings,
                                          std::move(journal))) {}

Guard::~Guard() = default;

void Guard::protect(std::vector<base::Extent> extents, base::Executor& pool,
                    base::UniqueFunction<void()> on_lost, Protected done, Keep keep,
                    Lifetime lifetime) {
  const auto outside = [this](const base::Extent& extent) { return !lies_within(extent, size()); };
  if (std::any_of(extents.begin(), extents.end(), outside)) return done(nullptr);
  auto snapshot = std::make_shared<GuardSnapshot>(
      state_, state_->add(std::move(extents), keep, std::move(on_lost), lifetime));
  // Cut off meanwhile: resize() makes the store smaller first and then looks for snapshots.
  const auto& added = snapshot->extents();
  if (std::any_of(added.begin(), added.end(), outside)) return done(nullptr);
  if (keep == Keep::addresses || state_->gate().idle()) {
    snapshot->record().armed = true;
    return done(std::move(snapshot));
  }
  pool.post([state = state_, snapshot = std::move(snapshot), done = std::move(done)]() mutable {
    state->arm(snapshot->record());
    done(std::move(snapshot));
  });
}

std::shared_ptr<Snapshot> Guard::restore(std::uint64_t kept_as, std::vector<base::Extent> extents,
                                         Keep keep, base::UniqueFunction<void()> on_lost) {
  RecordPtr record = state_->restore(kept_as, std::move(extents), keep, std::move(on_lost));
  if (record == nullptr) return nullptr;
  return std::make_shared<GuardSnapshot>(state_, std::move(record));
}

void Guard::end_restore() {
  state_->end_restore();
}

void Guard::keep_snapshots() {
  state_->keep_snapshots();
}

std::string Guard::kept_in() const {
  return state_->kept_in();
}

StoreResult<> Guard::forget_snapshots() {
  return state_->forget();
}

Guard::WriteSection::WriteSection(Guard& guard, base::Extent extent)
    : guard_(guard), gate_ticket_(guard.state_->enter_saving(extent)) {}

Guard::WriteSection::~WriteSection() {
  guard_.state_->gate().leave(gate_ticket_);
}

Guard::WriteSection::Part::Part(const WriteSection& section, base::Extent extent)
    : piece_{&section.guard_.state_->inner(), extent.offset},
      held_(section.guard_.state_->regions().lock(extent, RegionLocks::Mode::exclusive)) {}

RegionLocks::Held Guard::hold_for_reading(base::Extent extent) {
  return state_->regions().lock(extent, RegionLocks::Mode::shared);
}

GuardCounters Guard::counters() const {
  return state_->counters();
}

base::ByteCount Guard::size() const {
  return state_->inner().size();
}

StoreResult<> Guard::resize(base::ByteCount size) {
  return state_->resize(size);
}

std::uint32_t Guard::alignment_bytes() const {
  return state_->inner().alignment_bytes();
}

std::string Guard::describe() const {
  return state_->inner().describe();
}

StoreResult<> Guard::read(base::ByteOffset at, base::ByteSpan into) {
  const base::Extent extent = extent_of(at, into);
  if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
  const auto held = state_->regions().lock(extent, RegionLocks::Mode::shared);
  return state_->inner().read(at, into);
}

StoreResult<> Guard::write(base::ByteOffset at, base::ByteView from, Durability durability) {
  const base::Extent extent = extent_of(at, from);
  if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
  const Inside inside(state_->gate(), state_->enter_saving(extent));
  const auto held = state_->regions().lock(extent, RegionLocks::Mode::exclusive);
  return state_->inner().write(at, from, durability);
}

StoreResult<> Guard::write_zeros(base::Extent extent) {
  if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
  while (!extent.empty()) {
    const base::Extent piece{extent.offset, std::min(extent.length, zeros_piece)};
    const Inside inside(state_->gate(), state_->enter_saving(piece));
    const auto held = state_->regions().lock(piece, RegionLocks::Mode::exclusive);
    if (auto result = state_->inner().write_zeros(piece); !result) return result;
    extent = {piece.end(), extent.length - piece.length};
  }
  return {};
}

StoreResult<> Guard::flush() {
  return state_->inner().flush();
}

StoreResult<> Guard::try_read(base::ByteOffset at, base::ByteSpan into) {
  const base::Extent extent = extent_of(at, into);
  if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
  const auto held = state_->regions().try_lock(extent, RegionLocks::Mode::shared);
  if (!held) return fault(StoreError::Kind::would_block);
  return state_->inner().try_read(at, into);
}

StoreResult<> Guard::try_write(base::ByteOffset at, base::ByteView from) {
  const base::Extent extent = extent_of(at, from);
  if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
  const auto ticket = state_->enter_if_clear(extent);
  if (!ticket) return fault(StoreError::Kind::would_block);
  const Inside inside(state_->gate(), *ticket);
  const auto held = state_->regions().try_lock(extent, RegionLocks::Mode::exclusive);
  if (!held) return fault(StoreError::Kind::would_block);
  return state_->inner().try_write(at, from);
}

// Whole towards every write, as read() is: the regions are held until it has ended.
bool Guard::start_read(Ring& ring, base::ByteOffset at, base::ByteSpan into, Done& done) {
  const base::Extent extent = extent_of(at, into);
  if (!lies_within(extent, size())) return false;
  auto held = state_->regions().try_lock(extent, RegionLocks::Mode::shared);
  if (!held) return false;
  Done ended = [held = std::move(held), done = std::move(done)](StoreResult<> result) mutable {
    held.reset();
    done(std::move(result));
  };
  if (!state_->inner().start_read(ring, at, into, ended)) {
    ended(fault(StoreError::Kind::would_block));
  }
  return true;
}

std::optional<base::ByteView> Guard::lend(base::Extent extent) {
  return state_->inner().lend(extent);
}

void Guard::forget_cached(base::Extent extent) {
  state_->inner().forget_cached(extent);
}

void Guard::read_ahead(base::Extent extent) {
  state_->inner().read_ahead(extent);
}

Store::Run Guard::first_run(base::Extent extent) {
  return state_->inner().first_run(extent);
}

Store::Usage Guard::usage() {
  return state_->inner().usage();
}

Quota* Guard::quota() {
  return state_->inner().quota();
}

ProtectedStore* Guard::protection() {
  return state_->inner().protection();
}

}  // namespace store
