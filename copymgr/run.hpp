// The work of an operation that has passed its checks, one step at a time. Not thread-safe; at most
// one thread attends to an operation.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/executor.hpp"
#include "copymgr/copy_manager.hpp"
#include "copymgr/rod_segment.hpp"

namespace copymgr {

class Run {
 public:
  virtual ~Run() = default;

  virtual bool done() const = 0;

  // What has to be held still before the next step; it comes by hold(), nullptr when that failed.
  struct Stillness {
    store::Guard* guard = nullptr;
    std::vector<base::Extent> extents;
    base::UniqueFunction<void()> on_lost = [] {};
    store::Keep keep = store::Keep::copies;
    store::Lifetime lifetime = store::Lifetime::process;
  };
  virtual std::optional<Stillness> wanted() const { return std::nullopt; }
  virtual void hold(std::shared_ptr<store::Snapshot>) {}

  // Written and good, from where the last step ended.
  struct Stepped {
    base::BlockCount blocks;         // of a WRITE USING TOKEN; whole ones
    base::ByteCount bytes;           // of an EXTENDED COPY
    bool segment_ended = false;      // of an EXTENDED COPY
    std::optional<CopyFault> fault;  // blocks_done is the caller's
  };
  virtual Stepped step() = 0;

  // Makes what has been written durable where its unit has no write cache, so that it can be told.
  // Why it could not be: then nothing of that counts as written.
  virtual std::optional<CopyFault> settle() = 0;

  // Where it runs; nullptr: on the pool, in its turn. Shared, as the run may end, and what it holds
  // with it, before its next work is queued there.
  virtual std::shared_ptr<base::Executor> executor() { return nullptr; }

  // May it be stopped with a part done and told so, for having taken too long?
  virtual bool may_stop_early() const = 0;
  // All is written. True: a token has ended with that, which a host is told when that is kept.
  virtual bool succeeded() { return false; }
  // What else a good end leaves.
  virtual std::vector<WantedToken> wanted_tokens(const Nexus&) const { return {}; }
  // The point in time is gone for good.
  virtual bool source_lost() const { return false; }
  // What is told of that, and when the unit that is read (or, of an EXTENDED COPY, written) has
  // gone.
  virtual CopyFault volume_lost(base::BlockCount blocks_done) const = 0;
};

}  // namespace copymgr
