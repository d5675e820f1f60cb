#include "tools/host/host_copy.hpp"

#include <algorithm>
#include <memory>
#include <numeric>
#include <vector>

#include "tools/host/transfer_queue.hpp"

namespace host {
namespace {

using base::ByteCount;
using Bytes = std::vector<std::uint8_t>;

base::BlockRange range_on(const CopyEnd& end, ByteCount at, std::size_t bytes) {
  return {end.first + end.block_length.whole_blocks(at),
          end.block_length.whole_blocks(ByteCount(bytes))};
}

// Hands out [from, total) in chunks, in order.
class Chunks {
 public:
  Chunks(ByteCount from, ByteCount total, ByteCount chunk)
      : next_(from), total_(total), chunk_(chunk) {}
  bool more() const { return next_ < total_; }
  // Where the next chunk starts and how many bytes it has.
  std::pair<ByteCount, std::size_t> take() {
    const ByteCount at = next_;
    const ByteCount bytes = std::min(chunk_, total_ - next_);
    next_ += bytes;
    return {at, bytes.value};
  }

 private:
  ByteCount next_, total_, chunk_;
};

// A chunk's place in the pipeline: it is reused as soon as its chunk is through.
struct Slot {
  Bytes source, destination;
  ByteCount at;
  std::size_t bytes = 0;
  unsigned reads_left = 0;

  base::ByteSpan source_bytes() { return base::ByteSpan(source).first(bytes); }
  base::ByteSpan destination_bytes() { return base::ByteSpan(destination).first(bytes); }
};

class HostCopy {
 public:
  HostCopy(const CopyEnd& source, const CopyEnd& destination, const CopyWatch& watch)
      : source_(source),
        destination_(destination),
        watch_(watch),
        queue_(*source.lun, *destination.lun) {}

  HostCopyResult run(Chunks chunks, ByteCount from, ByteCount chunk, unsigned depth) {
    from_ = from;
    std::vector<Slot> slots(depth);
    for (Slot& slot : slots) {
      slot.source.resize(chunk.value);
      idle_.push_back(&slot);
    }
    while (true) {
      while (chunks.more() && !idle_.empty() && !result_.trouble && !watch_.stopped()) {
        Slot& slot = *idle_.back();
        idle_.pop_back();
        std::tie(slot.at, slot.bytes) = chunks.take();
        read(slot);
      }
      if (queue_.idle()) break;
      queue_.wait();
    }
    result_.reads = queue_.reads();
    result_.writes = queue_.writes();
    return std::move(result_);
  }

 private:
  void read(Slot& slot) {
    queue_.read(*source_.lun, range_on(source_, slot.at, slot.bytes), slot.source_bytes(),
                [this, &slot](std::optional<std::string> trouble) {
                  trouble ? end(slot, std::move(trouble)) : write(slot);
                });
  }
  void write(Slot& slot) {
    queue_.write(
        *destination_.lun, range_on(destination_, slot.at, slot.bytes), slot.source_bytes(),
        [this, &slot](std::optional<std::string> trouble) { end(slot, std::move(trouble)); });
  }
  void end(Slot& slot, std::optional<std::string> trouble) {
    if (!trouble) {
      result_.bytes += ByteCount(slot.bytes);
    } else if (!result_.trouble) {
      result_.trouble = std::move(trouble);
    }
    watch_.tell(from_ + result_.bytes);
    idle_.push_back(&slot);
  }

  const CopyEnd& source_;
  const CopyEnd& destination_;
  const CopyWatch& watch_;
  TransferQueue queue_;
  ByteCount from_;
  std::vector<Slot*> idle_;
  HostCopyResult result_;
};

class Comparison {
 public:
  Comparison(const CopyEnd& source, const CopyEnd& destination, const CopyWatch& watch)
      : source_(source),
        destination_(destination),
        watch_(watch),
        queue_(*source.lun, *destination.lun) {}

  // Chunks start in order and none starts after a difference, so the smallest one found is the
  // first.
  CompareResult run(Chunks chunks, ByteCount chunk, unsigned depth) {
    std::vector<Slot> slots(depth);
    for (Slot& slot : slots) {
      slot.source.resize(chunk.value);
      slot.destination.resize(chunk.value);
      idle_.push_back(&slot);
    }
    while (true) {
      while (chunks.more() && !idle_.empty() && !result_.trouble && !result_.first_difference &&
             !watch_.stopped()) {
        Slot& slot = *idle_.back();
        idle_.pop_back();
        std::tie(slot.at, slot.bytes) = chunks.take();
        read_both(slot);
      }
      if (queue_.idle()) break;
      queue_.wait();
    }
    result_.reads = queue_.reads();
    return std::move(result_);
  }

 private:
  void read_both(Slot& slot) {
    slot.reads_left = 2;
    auto done = [this, &slot](std::optional<std::string> trouble) {
      if (trouble && !result_.trouble) result_.trouble = std::move(trouble);
      if (--slot.reads_left == 0) end(slot);
    };
    queue_.read(*source_.lun, range_on(source_, slot.at, slot.bytes), slot.source_bytes(), done);
    queue_.read(*destination_.lun, range_on(destination_, slot.at, slot.bytes),
                slot.destination_bytes(), done);
  }
  void end(Slot& slot) {
    if (!result_.trouble) {
      const auto source = slot.source_bytes();
      const auto different =
          std::mismatch(source.begin(), source.end(), slot.destination.begin()).first;
      if (different != source.end()) {
        const base::ByteOffset at(slot.at.value +
                                  static_cast<std::uint64_t>(different - source.begin()));
        result_.first_difference = std::min(at, result_.first_difference.value_or(at));
      }
      result_.bytes += ByteCount(slot.bytes);
      watch_.tell(result_.bytes);
    }
    idle_.push_back(&slot);
  }

  const CopyEnd& source_;
  const CopyEnd& destination_;
  const CopyWatch& watch_;
  TransferQueue queue_;
  std::vector<Slot*> idle_;
  CompareResult result_;
};

ByteCount transfer_limit(const CopyEnd& end) {
  return end.maximum_transfer_length.value == 0
             ? chunk_max
             : end.block_length.to_bytes(end.maximum_transfer_length);
}

unsigned depth_for(const PipelineSettings& settings) {
  return std::clamp(settings.depth, 1u, depth_max);
}

}  // namespace

ByteCount chunk_for(const PipelineSettings& settings, const CopyEnd& source,
                    const CopyEnd& destination) {
  const std::uint64_t unit =
      std::lcm<std::uint64_t>(source.block_length.bytes, destination.block_length.bytes);
  const ByteCount most =
      std::min({settings.chunk, chunk_max, transfer_limit(source), transfer_limit(destination)});
  return ByteCount(std::max(most.value / unit, std::uint64_t{1}) * unit);
}

HostCopyResult host_copy(const CopyEnd& source, const CopyEnd& destination, ByteCount from,
                         ByteCount total, const PipelineSettings& settings,
                         const CopyWatch& watch) {
  const ByteCount chunk = chunk_for(settings, source, destination);
  return HostCopy(source, destination, watch)
      .run(Chunks(from, total, chunk), from, chunk, depth_for(settings));
}

CompareResult compare(const CopyEnd& source, const CopyEnd& destination, ByteCount total,
                      const PipelineSettings& settings, const CopyWatch& watch) {
  const ByteCount chunk = chunk_for(settings, source, destination);
  return Comparison(source, destination, watch)
      .run(Chunks(ByteCount(), total, chunk), chunk, depth_for(settings));
}

}  // namespace host
