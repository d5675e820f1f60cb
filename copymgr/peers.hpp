// The other members of the copy manager group that this array is in: who they are, how to reach
// them, what was pulled from each. Each has threads of its own, so that one that does not answer
// holds up nobody else, and this array's pool is never what its own members wait for.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/executor.hpp"
#include "base/random.hpp"
#include "copymgr/group.hpp"
#include "copymgr/kept_sessions.hpp"

namespace copymgr {

using tokens::CopyManagerDesignator;

struct PeerCounters {
  std::uint64_t logins = 0;  // a session serves one pull after another
  std::uint64_t pulls = 0, pulls_failed = 0;
  std::uint64_t bytes_pulled = 0, bytes_zeroed = 0;  // zeroed: holes, which nobody sent
};

enum class PeerState : std::uint8_t { not_asked, reachable, unreachable };

// What is known of a member, for an administrator.
struct PeerFacts {
  GroupMember member;
  std::optional<CopyManagerDesignator> designator;  // nullopt: it was never asked
  PeerState state = PeerState::not_asked;
  std::string trouble;  // why it could not be reached
  PeerCounters counters;
};

// The group as it is at one moment, with its keys. Immutable.
struct GroupView {
  Group group;
  GroupKey open_proof{}, opened_proof{};
};

class Peer {
 public:
  Peer(GroupMember member, const PullLimits& limits, const base::Clock& clock);

  const GroupMember& member() const { return member_; }
  const PullLimits& limits() const { return limits_; }
  base::Executor& pulls() { return pulls_; }
  KeptSessions& sessions() { return sessions_; }

  // nullopt: not known yet.
  std::optional<CopyManagerDesignator> designator() const;
  void reached(const CopyManagerDesignator& designator);
  // Whoever answered is not who was looked for: it is asked anew next time.
  void mistaken();
  // True: that was not known.
  bool not_reached(const std::string& trouble);

  // Keeps to the bandwidth: sleeps until so many bytes more may be pulled, or `stopped`.
  void pace(base::ByteCount bytes, const std::function<bool()>& stopped);

  // How much is best pulled in one go, as the last one learned it.
  std::atomic<std::uint64_t>& step_bytes() { return step_bytes_; }

  void count_login();
  void count_pull(bool failed);
  void count_bytes(base::ByteCount pulled, base::ByteCount zeroed);
  PeerFacts facts() const;

 private:
  const GroupMember member_;
  const PullLimits limits_;
  const base::Clock& clock_;
  mutable std::mutex mutex_;
  std::optional<CopyManagerDesignator> designator_;
  PeerState state_ = PeerState::not_asked;
  std::string trouble_;
  base::Instant next_free_;
  PeerCounters counters_;
  std::atomic<std::uint64_t> step_bytes_{16u << 20};
  KeptSessions sessions_;
  base::WorkPool pulls_;
};

using PeerPtr = std::shared_ptr<Peer>;

// All members are callable from any thread.
class Peers {
 public:
  Peers(const base::Clock& clock, base::Randomness& randomness, const CopyManagerDesignator& own);

  // When no copy runs any more.
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  const CopyManagerDesignator& own() const { return own_; }
  const base::Clock& clock() const { return clock_; }
  base::Randomness& randomness() { return randomness_; }

  // Null: in none.
  std::shared_ptr<const GroupView> group() const;
  // Members that stay as they are keep what is known of them. Copies that run go on.
  void set_group(const std::optional<Group>& group);

  std::vector<PeerPtr> all() const;
  PeerPtr find(const CopyManagerDesignator& designator) const;
  // Sessions that nobody has used for a while. Called every second or so.
  void end_idle_sessions();
  // Where somebody is looked for whose designator no member is known to have.
  base::Executor& lobby() { return lobby_; }

 private:
  PeerPtr same_as_before(const GroupMember& member, const PullLimits& limits) const;

  const base::Clock& clock_;
  base::Randomness& randomness_;
  const CopyManagerDesignator own_;
  mutable std::mutex mutex_;
  std::shared_ptr<const GroupView> group_;
  std::vector<PeerPtr> peers_;
  std::vector<PeerPtr> retired_;  // copies may still run there
  base::WorkPool lobby_{1};
};

}  // namespace copymgr
