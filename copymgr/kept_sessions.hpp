// Sessions with one member that nobody uses at the moment: logged in, and no token is open in them,
// so that none keeps a token alive (docs/adr/0007). Callable from any thread; none of it blocks.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.hpp"
#include "store/remote_unit.hpp"

namespace copymgr {

struct GroupView;

class KeptSessions {
 public:
  // How long one is kept. The next WRITE USING TOKEN of a host comes within milliseconds.
  static constexpr base::Duration idle_max = std::chrono::seconds(5);

  KeptSessions(std::size_t most, const base::Clock& clock) : most_(most), clock_(clock) {}

  // One that was logged in for `group` and is as good as new; the longest idle goes if there are
  // too many. One that is lost is not kept.
  void keep(std::unique_ptr<store::RemoteUnit> unit, std::shared_ptr<const GroupView> group);
  // The one that was used last. Null: there is none that was logged in for this group.
  std::unique_ptr<store::RemoteUnit> take(const std::shared_ptr<const GroupView>& group);

  void end_idle(base::Instant now);
  std::size_t count() const;

 private:
  struct Kept {
    std::unique_ptr<store::RemoteUnit> unit;
    std::shared_ptr<const GroupView> group;
    base::Instant since;
  };

  const std::size_t most_;
  const base::Clock& clock_;
  mutable std::mutex mutex_;
  std::vector<Kept> kept_;  // the longest idle first
};

}  // namespace copymgr
