// What the copy tests share: volumes over stores that can fail or call back, a copy manager on a
// clock that stands still, and short ways to say "populate" and "write".
#pragma once

#include <atomic>
#include <functional>
#include <random>

#include "copymgr/copy_manager.hpp"
#include "store/memory_store.hpp"
#include "tests/unit/tokens/token_world.hpp"

namespace copymgr::test {

using namespace std::chrono_literals;
using tokens::test::SeededRandomness;
using Bytes = std::vector<std::uint8_t>;

inline constexpr base::BlockLength block_length{512};
inline constexpr std::uint64_t initiator_session = 7;

// A memory store whose nth call fails, and that tells of each call before it.
class FaultStore final : public store::Store {
 public:
  explicit FaultStore(base::ByteCount size) : inner_(*store::MemoryStore::open(size)) {}

  std::function<void()> before_read, before_write;
  std::atomic<int> unflushed_writes{0}, flushes{0};
  std::int64_t fail_read = 0, fail_write = 0,
               fail_flush = 0;  // counts down; the call that reaches 0 fails
  store::StoreError::Kind write_fault = store::StoreError::Kind::write_failed;
  bool lends = true;
  std::uint32_t alignment = 1;

  std::uint32_t alignment_bytes() const override { return alignment; }
  base::ByteCount size() const override { return inner_->size(); }
  std::string describe() const override { return "faults over " + inner_->describe(); }
  store::StoreResult<> read(base::ByteOffset at, base::ByteSpan into) override {
    if (before_read) before_read();
    if (fail_read > 0 && --fail_read == 0) return failed(store::StoreError::Kind::read_failed);
    return inner_->read(at, into);
  }
  store::StoreResult<> write(base::ByteOffset at, base::ByteView from,
                             store::Durability durability) override {
    if (before_write) before_write();
    ++unflushed_writes;
    if (fail_write > 0 && --fail_write == 0) return failed(write_fault);
    return inner_->write(at, from, durability);
  }
  store::StoreResult<> write_zeros(base::Extent extent) override {
    if (before_write) before_write();
    ++unflushed_writes;
    if (fail_write > 0 && --fail_write == 0) return failed(write_fault);
    return inner_->write_zeros(extent);
  }
  store::StoreResult<> flush() override {
    ++flushes;
    if (fail_flush > 0 && --fail_flush == 0) return failed(store::StoreError::Kind::write_failed);
    unflushed_writes = 0;
    return {};
  }
  std::optional<base::ByteView> lend(base::Extent extent) override {
    return lends ? inner_->lend(extent) : std::nullopt;
  }

 private:
  static store::StoreResult<> failed(store::StoreError::Kind kind) {
    return base::fail(store::StoreError{kind, 0});
  }
  std::unique_ptr<store::MemoryStore> inner_;
};

// A guarded volume of `blocks` blocks, every block different.
struct TestVolume {
  TestVolume(std::uint64_t id, std::uint64_t blocks,
             base::ByteCount side_bytes_max = base::ByteCount(1 << 20))
      : TestVolume(id, blocks, side_bytes_max,
                   std::make_unique<FaultStore>(base::ByteCount(blocks * block_length.bytes))) {}
  TestVolume(std::uint64_t id, std::uint64_t blocks, base::ByteCount side_bytes_max,
             std::unique_ptr<FaultStore> owned)
      : faults(owned.get()),
        guard(std::make_unique<store::Guard>(std::move(owned),
                                             *store::MemoryStore::open(side_bytes_max),
                                             store::GuardSettings{4096, side_bytes_max})) {
    volume.id = id;
    volume.guard = guard.get();
    volume.block_length = block_length;
    volume.capacity = base::BlockCount(blocks);
    Bytes bytes(blocks * block_length.bytes);
    std::mt19937 random(static_cast<unsigned>(id));
    for (std::uint8_t& byte : bytes)
      byte = static_cast<std::uint8_t>(random());
    write(0, bytes);
  }

  void write(std::uint64_t lba, const Bytes& bytes) {
    const base::ByteOffset at = block_length.to_offset(base::Lba(lba));
    (void)guard->write(at, bytes, store::Durability::cached).has_value();
  }
  Bytes read(std::uint64_t lba, std::uint64_t blocks) const {
    Bytes bytes(blocks * block_length.bytes);
    (void)guard->read(block_length.to_offset(base::Lba(lba)), bytes).has_value();
    return bytes;
  }
  Bytes all() const { return read(0, volume.capacity.value); }

  FaultStore* faults;
  std::unique_ptr<store::Guard> guard;
  Volume volume;
};

inline OperationKey key(std::uint64_t volume_id, std::uint32_t list_identifier = 1,
                        std::uint64_t session = initiator_session) {
  return {{session, "iqn.host", "iqn.target"}, volume_id, list_identifier};
}

inline base::BlockRange range(std::uint64_t lba, std::uint64_t count) {
  return {base::Lba(lba), base::BlockCount(count)};
}

struct CopyWorld {
  explicit CopyWorld(CopySettings settings = small_steps(), std::uint64_t seed = 1)
      : CopyWorld(inline_pool, settings, seed) {}
  CopyWorld(base::Executor& pool, CopySettings settings, std::uint64_t seed = 1)
      : randomness(seed), manager(clock, randomness, pool, settings) {}

  // Steps of two blocks, so that small copies have many.
  static CopySettings small_steps() {
    CopySettings settings;
    settings.step_bytes = settings.cheap_step_bytes = base::ByteCount(2 * block_length.bytes);
    return settings;
  }

  // The token, which the record must hold.
  scsi::RodTokenBytes populate(std::uint64_t volume_id, std::vector<base::BlockRange> ranges,
                               std::uint32_t timeout_seconds = 0) {
    const OperationKey at = key(volume_id, 0x9000);
    populated = CopyOutcome(base::fail(CopyFault{}));
    manager.populate_token(at, {timeout_seconds, {}, std::move(ranges)},
                           [this](CopyOutcome outcome) { populated = outcome; });
    const auto report = manager.report(at);
    return report && report->token ? *report->token : scsi::RodTokenBytes{};
  }
  // How it ended; nullopt while it runs.
  std::optional<CopyOutcome> write(std::uint64_t volume_id, const scsi::RodTokenBytes& token,
                                   std::vector<base::BlockRange> ranges, std::uint64_t offset = 0,
                                   bool delete_token = false, std::uint32_t list_identifier = 1) {
    written.reset();
    manager.write_using_token(key(volume_id, list_identifier),
                              {delete_token, base::BlockCount(offset), token, std::move(ranges)},
                              [this](CopyOutcome outcome) { written = outcome; });
    return written;
  }

  base::ManualClock clock;
  SeededRandomness randomness;
  base::InlineExecutor inline_pool;
  CopyOutcome populated;
  std::optional<CopyOutcome> written;
  CopyManager manager;
};

inline bool is_fault(const std::optional<CopyOutcome>& outcome, CopyFault::Kind kind,
                     std::uint64_t blocks_done) {
  return outcome && !*outcome && outcome->error().kind == kind &&
         outcome->error().blocks_done.value == blocks_done;
}
inline bool is_token_fault(const std::optional<CopyOutcome>& outcome, tokens::TokenFault fault) {
  return is_fault(outcome, CopyFault::Kind::token, 0) && outcome->error().token_fault == fault;
}
inline bool is_good(const std::optional<CopyOutcome>& outcome, std::uint64_t blocks) {
  return outcome && *outcome && (**outcome).value == blocks;
}

// Of an EXTENDED COPY, between volumes of `block_length`.
inline PlannedSegment segment(std::uint64_t from_volume, std::uint64_t from,
                              std::uint64_t to_volume, std::uint64_t to, std::uint64_t blocks) {
  SegmentMove out;
  out.source_volume = from_volume;
  out.destination_volume = to_volume;
  out.from = base::to_extent(range(from, blocks), block_length);
  out.into = base::to_extent(range(to, blocks), block_length);
  out.destination_block_length = block_length;
  return out;
}

}  // namespace copymgr::test
