// Data first, then its protection information: in the meantime an intent says that they may not
// belong together.
#include "store/protected_store.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "store/faults.hpp"

namespace store {
namespace {

constexpr std::size_t scratch_bytes = 1 << 20;
constexpr std::size_t tuples_at_once = 512;

// Memory that O_DIRECT takes as well.
class Scratch {
 public:
  explicit Scratch(std::size_t bytes) : bytes_(bytes + alignment) {}
  base::ByteSpan span() {
    const auto at = reinterpret_cast<std::uintptr_t>(bytes_.data());
    const std::size_t skip = (alignment - at % alignment) % alignment;
    return base::ByteSpan(bytes_).subspan(skip, bytes_.size() - alignment);
  }

 private:
  static constexpr std::size_t alignment = 4096;
  std::vector<std::uint8_t> bytes_;
};

void invert(base::ByteView from, base::ByteSpan into) {
  std::transform(from.begin(), from.end(), into.begin(),
                 [](std::uint8_t byte) { return static_cast<std::uint8_t>(~byte); });
}

auto protection_fault(base::Lba first, const ProtectionFault& found) {
  StoreError error{StoreError::Kind::protection_failed};
  error.field = found.field;
  error.block = first.value + found.block;
  return base::fail(error);
}

}  // namespace

ProtectedStore::ProtectedStore(std::unique_ptr<Store> data, TupleArea tuples,
                               const ProtectionFormat& format)
    : data_(std::move(data)), tuples_(std::move(tuples)), format_(format) {}

// What cannot be settled is looked at when the store is opened again.
ProtectedStore::~ProtectedStore() {
  if (intents_ != nullptr) static_cast<void>(intents_->settle());
}

void ProtectedStore::keep_intents(base::ByteOffset at, const IntentSettings& settings) {
  intents_ =
      std::make_unique<WriteIntents>(*tuples_.store, at, settings, [this] { return flush(); });
}

StoreResult<std::uint64_t> ProtectedStore::recover(bool machine_stopped) {
  const auto in_doubt = intents_->in_doubt(machine_stopped);
  if (!in_doubt) return base::fail(in_doubt.error());
  std::uint64_t mended = 0;
  for (base::Extent extent : *in_doubt) {
    if (extent.offset.value >= size().value) continue;
    extent.length = std::min(extent.length, base::ByteCount(size().value - extent.offset.value));
    const auto done = mend(widened(extent));
    if (!done) return done;
    mended += *done;
  }
  return mended;
}

std::string ProtectedStore::describe() const {
  return fmt::format("{} with type {} protection", data_->describe(),
                     static_cast<unsigned>(format_.type));
}

StoreResult<ProtectedStore::Intent> ProtectedStore::begin(base::Extent extent) {
  if (intents_ == nullptr) return Intent();
  return intents_->begin(extent);
}

bool ProtectedStore::whole_blocks(base::Extent extent) const {
  return (extent.offset.value | extent.length.value) % format_.block_length.bytes == 0;
}

base::Extent ProtectedStore::widened(base::Extent extent) const {
  const std::uint64_t block = format_.block_length.bytes;
  const std::uint64_t first = extent.offset.value / block * block;
  const std::uint64_t end = (extent.end().value + block - 1) / block * block;
  return {base::ByteOffset(first), base::ByteCount(end - first)};
}

base::Lba ProtectedStore::lba_of(base::ByteOffset at) const {
  return base::Lba(at.value / format_.block_length.bytes);
}

base::Extent ProtectedStore::tuples_of(base::Extent blocks) const {
  return {tuples_.first + base::ByteCount(lba_of(blocks.offset).value * tuple_bytes),
          base::ByteCount(format_.block_length.whole_blocks(blocks.length).value * tuple_bytes)};
}

StoreResult<> ProtectedStore::get_tuples(base::Extent blocks, base::ByteSpan tuples) {
  auto done = tuples_.store->read(tuples_of(blocks).offset, tuples);
  invert(tuples, tuples);
  return done;
}

StoreResult<> ProtectedStore::put_tuples(base::Extent blocks, base::ByteView tuples,
                                         Durability durability) {
  std::vector<std::uint8_t> inverted(tuples.size());
  invert(tuples, inverted);
  return tuples_.store->write(tuples_of(blocks).offset, inverted, durability);
}

StoreResult<> ProtectedStore::read_with(base::ByteOffset at, base::ByteSpan data,
                                        base::ByteSpan tuples) {
  if (auto done = data_->read(at, data); !done) return done;
  return get_tuples(extent_of(at, data), tuples);
}

StoreResult<> ProtectedStore::write_with(base::ByteOffset at, base::ByteView data,
                                         base::ByteView tuples, Durability durability) {
  const base::Extent extent = extent_of(at, data);
  if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
  const auto intent = begin(extent);
  if (!intent) return base::fail(intent.error());
  auto done = data_->write(at, data, durability);
  if (done) done = put_tuples(extent, tuples, durability);
  // Part of it may be there: what is has to be readable.
  if (!done) static_cast<void>(mend(extent));
  return done;
}

StoreResult<> ProtectedStore::read(base::ByteOffset at, base::ByteSpan into) {
  const base::Extent extent = extent_of(at, into);
  if (!whole_blocks(extent)) {
    if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
    const base::Extent blocks = widened(extent);
    Scratch scratch(blocks.length.value);
    if (auto done = read(blocks.offset, scratch.span()); !done) return done;
    const auto from = scratch.span().subspan((at - blocks.offset).value, into.size());
    std::copy(from.begin(), from.end(), into.begin());
    return {};
  }
  if (auto done = data_->read(at, into); !done) return done;
  return check_blocks(at, into, true);
}

StoreResult<> ProtectedStore::try_read(base::ByteOffset at, base::ByteSpan into) {
  const base::Extent extent = extent_of(at, into);
  if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
  if (!whole_blocks(extent)) return fault(StoreError::Kind::would_block);
  if (auto done = data_->try_read(at, into); !done) return done;
  return check_blocks(at, into, false);
}

// Allocates nothing: reads take this way on workers too.
StoreResult<> ProtectedStore::check_blocks(base::ByteOffset at, base::ByteView data,
                                           bool may_sleep) {
  std::array<std::uint8_t, tuples_at_once * tuple_bytes> room;
  while (!data.empty()) {
    const base::ByteView piece =
        data.first(std::min(data.size(), tuples_at_once * format_.block_length.bytes));
    const base::Extent blocks = extent_of(at, piece);
    const base::ByteSpan tuples = base::ByteSpan(room).first(tuples_of(blocks).length.value);
    const base::ByteOffset from = tuples_of(blocks).offset;
    auto done =
        may_sleep ? tuples_.store->read(from, tuples) : tuples_.store->try_read(from, tuples);
    if (!done) return done;
    invert(tuples, tuples);
    const base::Lba lba = lba_of(at);
    const auto found = find_fault(format_, piece, tuples, checks_of_medium(format_, lba));
    if (found) return protection_fault(lba, *found);
    at = blocks.end();
    data = data.subspan(piece.size());
  }
  return {};
}

StoreResult<> ProtectedStore::check(base::Extent extent) {
  extent = widened(extent);
  Scratch scratch(std::min<std::uint64_t>(scratch_bytes, extent.length.value));
  while (!extent.empty()) {
    const base::ByteSpan piece =
        scratch.span().first(std::min<std::uint64_t>(scratch.span().size(), extent.length.value));
    if (auto done = read(extent.offset, piece); !done) return done;
    const base::ByteCount length(piece.size());
    extent = {extent.offset + length, extent.length - length};
  }
  return {};
}

// Never at once: two stores would have to take it without sleeping, both or none.
StoreResult<> ProtectedStore::try_write(base::ByteOffset at, base::ByteView from) {
  const bool inside = lies_within(extent_of(at, from), size());
  return fault(inside ? StoreError::Kind::would_block : StoreError::Kind::out_of_range);
}

StoreResult<> ProtectedStore::write(base::ByteOffset at, base::ByteView from,
                                    Durability durability) {
  const base::Extent extent = extent_of(at, from);
  if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
  if (!whole_blocks(extent)) {
    auto done =
        change_beneath(extent, [&](Store& data) { return data.write(at, from, durability); });
    if (done && durability == Durability::durable) done = tuples_.store->flush();
    return done;
  }
  std::vector<std::uint8_t> tuples(tuples_of(extent).length.value);
  make_tuples(format_, lba_of(at), from, tuples);
  return write_with(at, from, tuples, durability);
}

StoreResult<> ProtectedStore::write_zeros(base::Extent extent) {
  if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
  if (!whole_blocks(extent)) {
    return change_beneath(extent, [&](Store& data) { return data.write_zeros(extent); });
  }
  const auto intent = begin(extent);
  if (!intent) return base::fail(intent.error());
  auto done = data_->write_zeros(extent);
  if (done) done = tuples_.store->write_zeros(tuples_of(extent));
  if (!done) static_cast<void>(mend(extent));
  return done;
}

StoreResult<> ProtectedStore::flush() {
  auto done = data_->flush();
  return done ? tuples_.store->flush() : done;
}

StoreResult<> ProtectedStore::make_anew(base::Extent extent) {
  base::Extent rest = widened(extent);
  const std::uint64_t block = format_.block_length.bytes;
  Scratch scratch(std::min<std::uint64_t>(scratch_bytes, rest.length.value));
  while (!rest.empty()) {
    const Run run = data_->first_run(rest);
    const std::uint64_t hole = run.hole ? run.length.value / block * block : 0;
    std::uint64_t length = hole;
    if (hole == 0) {
      length = run.hole ? block : (run.length.value + block - 1) / block * block;
      length = std::min<std::uint64_t>(length, scratch.span().size());
    }
    const base::Extent blocks{rest.offset, base::ByteCount(length)};
    auto done = hole != 0 ? tuples_.store->write_zeros(tuples_of(blocks))
                          : make_anew_of_data(blocks, scratch.span().first(length));
    if (!done) return done;
    rest = {blocks.end(), rest.length - blocks.length};
  }
  return {};
}

StoreResult<> ProtectedStore::make_anew_of_data(base::Extent blocks, base::ByteSpan scratch) {
  if (auto done = data_->read(blocks.offset, scratch); !done) return done;
  std::vector<std::uint8_t> tuples(tuples_of(blocks).length.value);
  make_tuples(format_, lba_of(blocks.offset), scratch, tuples);
  return put_tuples(blocks, tuples, Durability::cached);
}

StoreResult<std::uint64_t> ProtectedStore::mend(base::Extent extent) {
  Scratch scratch(std::min<std::uint64_t>(scratch_bytes, extent.length.value));
  std::uint64_t mended = 0;
  while (!extent.empty()) {
    const base::ByteSpan piece =
        scratch.span().first(std::min<std::uint64_t>(scratch.span().size(), extent.length.value));
    const auto done = mend_piece(extent.offset, piece);
    if (!done) return done;
    mended += *done;
    const base::ByteCount length(piece.size());
    extent = {extent.offset + length, extent.length - length};
  }
  return mended;
}

StoreResult<std::uint64_t> ProtectedStore::mend_piece(base::ByteOffset at, base::ByteSpan scratch) {
  const base::Extent blocks = extent_of(at, scratch);
  std::vector<std::uint8_t> tuples(tuples_of(blocks).length.value);
  if (auto read = read_with(at, scratch, tuples); !read) return base::fail(read.error());
  const std::size_t block_bytes = format_.block_length.bytes;
  const base::Lba first = lba_of(at);
  std::uint64_t mended = 0;
  for (std::uint64_t i = 0; i < tuples.size() / tuple_bytes; ++i) {
    const base::Lba lba(first.value + i);
    const base::ByteView block = scratch.subspan(i * block_bytes, block_bytes);
    const base::ByteSpan tuple = base::ByteSpan(tuples).subspan(i * tuple_bytes, tuple_bytes);
    if (!find_fault(format_, block, tuple, checks_of_medium(format_, lba))) continue;
    make_tuples(format_, lba, block, tuple);
    ++mended;
  }
  if (mended == 0) return mended;
  auto written = put_tuples(blocks, tuples, Durability::cached);
  if (!written) return base::fail(written.error());
  return mended;
}

}  // namespace store
