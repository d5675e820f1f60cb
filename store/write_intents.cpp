#include "store/write_intents.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace store {
namespace {

using EntryBytes = std::array<std::uint8_t, WriteIntents::entry_bytes>;

}  // namespace

WriteIntents::WriteIntents(Store& medium, base::ByteOffset at, const IntentSettings& settings,
                           std::function<StoreResult<>()> flush)
    : medium_(medium),
      at_(at),
      settings_(settings),
      flush_(std::move(flush)),
      marked_(settings.regions) {
  for (std::uint64_t entry = entry_count; entry > 0; --entry)
    free_entries_.push_back(entry - 1);
}

WriteIntents::Intent::Intent(Intent&& other) noexcept
    : intents_(std::exchange(other.intents_, nullptr)),
      entry_(other.entry_),
      ticket_(other.ticket_) {}

WriteIntents::Intent::~Intent() {
  if (intents_ == nullptr) return;
  intents_->give_back(entry_);
  intents_->gate_.leave(ticket_);
}

base::ByteOffset WriteIntents::entry_at(std::uint64_t entry) const {
  return at_ + base::ByteCount(entry * entry_bytes);
}

base::ByteOffset WriteIntents::mark_at(std::uint64_t region) const {
  return at_ + base::ByteCount(entry_count * entry_bytes + region);
}

ChunkRange WriteIntents::regions_touched(base::Extent extent) const {
  if (extent.empty()) return {};
  return {extent.offset.value / settings_.region.value,
          (extent.end().value - 1) / settings_.region.value + 1};
}

StoreResult<WriteIntents::Intent> WriteIntents::begin(base::Extent extent) {
  const ChunkRange regions = regions_touched(extent);
  Intent out;
  for (;;) {
    // First in, then look: settling clears the marks first and then waits for those who are in.
    out.ticket_ = gate_.enter();
    if (marked_.next_clear(regions) == regions.end) break;
    gate_.leave(out.ticket_);
    if (auto marked = mark(regions); !marked) return base::fail(marked.error());
  }
  EntryBytes bytes{};
  base::store_be64(bytes, 0, extent.offset.value);
  base::store_be64(bytes, 8, extent.length.value);
  out.entry_ = take_entry();
  out.intents_ = this;
  const auto noted = medium_.write(entry_at(out.entry_), bytes, Durability::cached);
  if (!noted) return base::fail(noted.error());
  return out;
}

std::uint64_t WriteIntents::take_entry() {
  std::unique_lock lock(entries_mutex_);
  entry_free_.wait(lock, [this] { return !free_entries_.empty(); });
  const std::uint64_t entry = free_entries_.back();
  free_entries_.pop_back();
  return entry;
}

void WriteIntents::give_back(std::uint64_t entry) {
  // An entry that could not be cleared is looked at needlessly after a crash: no harm.
  static_cast<void>(medium_.write(entry_at(entry), EntryBytes{}, Durability::cached));
  {
    const std::scoped_lock lock(entries_mutex_);
    free_entries_.push_back(entry);
  }
  entry_free_.notify_one();
}

StoreResult<> WriteIntents::mark(ChunkRange regions) {
  const std::scoped_lock lock(marking_);
  if (marked_count_ != 0 && marked_count_ + regions.count() > settings_.marked_max) {
    // Marks that cannot be settled stay; there are more of them then.
    static_cast<void>(settle_locked());
  }
  const std::vector<std::uint8_t> ones(regions.count(), 1);
  if (auto done = medium_.write(mark_at(regions.first), ones, Durability::durable); !done) {
    return done;
  }
  marks_.push_back(regions);
  marked_count_ += regions.count();
  marked_.set(regions);
  return {};
}

StoreResult<> WriteIntents::settle() {
  const std::scoped_lock lock(marking_);
  return settle_locked();
}

StoreResult<> WriteIntents::settle_locked() {
  for (const ChunkRange& range : marks_)
    marked_.clear(range);
  gate_.synchronise();
  if (auto flushed = flush_(); !flushed) {
    for (const ChunkRange& range : marks_)
      marked_.set(range);
    return flushed;
  }
  for (const ChunkRange& range : marks_) {
    const std::vector<std::uint8_t> zeros(range.count(), 0);
    static_cast<void>(medium_.write(mark_at(range.first), zeros, Durability::cached));
  }
  marks_.clear();
  marked_count_ = 0;
  return {};
}

StoreResult<std::vector<base::Extent>> WriteIntents::in_doubt(bool machine_stopped) {
  std::vector<base::Extent> out;
  std::vector<std::uint8_t> entries(entry_count * entry_bytes);
  if (auto read = medium_.read(entry_at(0), entries); !read) return base::fail(read.error());
  for (std::uint64_t entry = 0; entry < entry_count; ++entry) {
    const base::Extent extent{base::ByteOffset(base::load_be64(entries, entry * entry_bytes)),
                              base::ByteCount(base::load_be64(entries, entry * entry_bytes + 8))};
    if (!extent.empty()) out.push_back(extent);
  }
  if (!machine_stopped) return out;
  std::vector<std::uint8_t> marks(settings_.regions);
  if (auto read = medium_.read(mark_at(0), marks); !read) return base::fail(read.error());
  for (std::uint64_t region = 0; region < settings_.regions; ++region) {
    if (marks[region] == 0) continue;
    out.push_back({base::ByteOffset(region * settings_.region.value), settings_.region});
  }
  return out;
}

}  // namespace store
