#include "copymgr/served_token.hpp"

#include <algorithm>
#include <utility>

namespace copymgr {
namespace {

const VolumeRod& rod_of(const tokens::Lease& lease) {
  return static_cast<const VolumeRod&>(*lease.rod());
}

auto gone() {
  return base::fail(store::StoreError{store::StoreError::Kind::read_failed});
}

}  // namespace

ServedToken::ServedToken(tokens::Lease lease, const base::Clock& clock,
                         std::shared_ptr<store::Snapshot> still)
    : clock_(clock),
      still_(std::move(still)),
      lease_(std::make_shared<tokens::Lease>(std::move(lease))),
      used_at_(clock.now()) {
  const VolumeRod& rod = rod_of(*lease_);
  constexpr std::uint32_t shortest = 512;
  block_length_.bytes = std::max(shortest, rod.volume().alignment_bytes());
  size_ = rod.side().block_length.to_bytes(total_blocks(rod.side().ranges));
}

std::shared_ptr<tokens::Lease> ServedToken::use() {
  const std::scoped_lock lock(mutex_);
  used_at_ = clock_.now();
  return lease_;
}

bool ServedToken::lost() const {
  const std::scoped_lock lock(mutex_);
  return lease_ == nullptr || rod_of(*lease_).lost() || rod_of(*lease_).volume().gone() ||
         (still_ != nullptr && still_->lost());
}

// The ranges of the token one behind the other, each by itself.
store::StoreResult<> ServedToken::visit(base::Extent extent, const Move& move) {
  const std::shared_ptr<tokens::Lease> lease = use();
  if (lease == nullptr || lost()) return gone();
  const VolumeRod& rod = rod_of(*lease);
  store::Snapshot* const data = rod.data() != nullptr ? rod.data() : still_.get();
  if (data == nullptr) return gone();
  base::ByteOffset passed;
  for (const base::BlockRange& range : rod.side().ranges) {
    if (extent.empty()) break;
    const base::Extent whole = base::to_extent(range, rod.side().block_length);
    const base::ByteOffset end = passed + whole.length;
    if (extent.offset < end) {
      const base::ByteCount length = std::min(extent.length, end - extent.offset);
      const auto visited = data->visit({whole.offset + (extent.offset - passed), length}, move);
      if (!visited) return visited;
      extent = {extent.offset + length, extent.length - length};
    }
    passed = end;
  }
  return lost() ? store::StoreResult<>(gone()) : store::StoreResult<>();
}

store::StoreResult<> ServedToken::read(base::ByteOffset at, base::ByteSpan into) {
  const base::Extent extent{at, base::ByteCount(into.size())};
  return visit(extent, [&into](store::Piece piece, base::ByteCount length) {
    auto done = piece.store->read(piece.at, into.first(length.value));
    into = into.subspan(length.value);
    return done;
  });
}

store::StoreResult<std::vector<store::Store::Run>> ServedToken::map(base::Extent extent,
                                                                    std::size_t most) {
  // To look further than what is read next would cost time on files whose blocks are not allocated
  // yet. Holes are found fast.
  constexpr base::ByteCount data_seen_max{64u << 20};
  std::vector<store::Store::Run> out;
  base::ByteCount data_seen;
  bool full = false;
  const std::uint64_t unit = block_length_.bytes;
  // A block that a hole ends in is data: runs are whole blocks.
  const auto look = [&](store::Piece piece, base::ByteCount length) -> store::StoreResult<> {
    for (base::Extent rest{piece.at, length}; !full && !rest.empty();) {
      store::Store::Run run = piece.store->first_run(rest);
      const bool to_the_end = run.length == rest.length;
      const std::uint64_t whole = run.length.value / unit * unit;
      if (!to_the_end && run.length.value != whole) {
        run.hole = run.hole && whole != 0;
        run.length = base::ByteCount(run.hole ? whole : std::min(whole + unit, rest.length.value));
      }
      const bool joins = !out.empty() && out.back().hole == run.hole;
      full = data_seen >= data_seen_max || (!joins && out.size() == most);
      if (full) break;
      if (!run.hole) data_seen += run.length;
      if (joins) out.back().length += run.length;
      if (!joins) out.push_back(run);
      rest = {rest.offset + run.length, rest.length - run.length};
    }
    // No error of the store: the visit ends here.
    return full ? store::StoreResult<>(gone()) : store::StoreResult<>();
  };
  const auto visited = visit(extent, look);
  if (!visited && !full) return base::fail(visited.error());
  if (lost()) return gone();
  return out;
}

void ServedToken::end(bool delete_token) {
  std::shared_ptr<tokens::Lease> ended;
  {
    const std::scoped_lock lock(mutex_);
    ended = std::exchange(lease_, nullptr);
  }
  if (ended != nullptr && delete_token) ended->delete_token_at_end();
}

void ServedToken::end_if_idle(base::Instant now) {
  bool idle = false;
  {
    const std::scoped_lock lock(mutex_);
    idle = now - used_at_ >= idle_max;
  }
  if (idle) end();
}

void ServedTokens::add(const std::shared_ptr<ServedToken>& token) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(tokens_, [](const auto& each) { return each.expired(); });
  tokens_.push_back(token);
}

std::vector<std::shared_ptr<ServedToken>> ServedTokens::all() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::shared_ptr<ServedToken>> out;
  for (const auto& weak : tokens_) {
    if (auto token = weak.lock()) out.push_back(std::move(token));
  }
  return out;
}

void ServedTokens::end_idle(base::Instant now) {
  for (const auto& token : all())
    token->end_if_idle(now);
}

void ServedTokens::end_all() {
  for (const auto& token : all())
    token->end();
}

std::size_t ServedTokens::count() const {
  const auto open = all();
  return static_cast<std::size_t>(
      std::count_if(open.begin(), open.end(), [](const auto& token) { return !token->lost(); }));
}

}  // namespace copymgr
