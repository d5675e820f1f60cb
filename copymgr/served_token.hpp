// A token of this array that another member of the group has opened: its data as one string of
// blocks that can only be read, and the lease that keeps it alive. Callable from any thread.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.hpp"
#include "copymgr/snapshot_rod.hpp"
#include "tokens/token_table.hpp"

namespace copymgr {

class ServedToken {
 public:
  // Of a VolumeRod. `still`: of a token that reads its source when it is used, what it held then;
  // else null.
  ServedToken(tokens::Lease lease, const base::Clock& clock,
              std::shared_ptr<store::Snapshot> still);

  // What it can be read in multiples of; the shortest that the source allows.
  base::BlockLength block_length() const { return block_length_; }
  base::ByteCount size() const { return size_; }

  // `at` and `into` lie within size(). May sleep. What has ended (end(), or the point in time is
  // lost) is told as read_failed, and lost() says so.
  store::StoreResult<> read(base::ByteOffset at, base::ByteSpan into);
  // How the data is backed from the start of `extent` (not empty, within size()) on: at most so
  // many runs, which may end before the extent does. May sleep.
  store::StoreResult<std::vector<store::Store::Run>> map(base::Extent extent, std::size_t most);
  bool lost() const;

  // The lease ends; with `delete_token` the token does.
  void end(bool delete_token = false);
  // No use for so long ends it as well: the other side has gone without a word.
  static constexpr base::Duration idle_max = std::chrono::seconds(60);
  void end_if_idle(base::Instant now);

 private:
  using Move = std::function<store::StoreResult<>(store::Piece piece, base::ByteCount length)>;
  store::StoreResult<> visit(base::Extent extent, const Move& move);
  std::shared_ptr<tokens::Lease> use();

  const base::Clock& clock_;
  const std::shared_ptr<store::Snapshot> still_;
  mutable std::mutex mutex_;
  std::shared_ptr<tokens::Lease> lease_;  // null: ended
  base::Instant used_at_;
  base::BlockLength block_length_;
  base::ByteCount size_;
};

// All that are open, for those who end them.
class ServedTokens {
 public:
  void add(const std::shared_ptr<ServedToken>& token);
  void end_idle(base::Instant now);
  void end_all();
  std::size_t count() const;

 private:
  std::vector<std::shared_ptr<ServedToken>> all() const;

  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<ServedToken>> tokens_;
};

}  // namespace copymgr
