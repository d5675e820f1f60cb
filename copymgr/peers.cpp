#include "copymgr/peers.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace copymgr {

Peer::Peer(GroupMember member, const PullLimits& limits, const base::Clock& clock)
    : member_(std::move(member)),
      limits_(limits),
      clock_(clock),
      designator_(parse_designator(member_.name)),
      sessions_(std::max(1u, limits.pulls_at_once), clock),
      pulls_(std::max(1u, limits.pulls_at_once)) {}

std::optional<CopyManagerDesignator> Peer::designator() const {
  const std::scoped_lock lock(mutex_);
  return designator_;
}

// One that is named by its designator is nobody else, whoever answers there.
void Peer::reached(const CopyManagerDesignator& designator) {
  const std::scoped_lock lock(mutex_);
  if (!parse_designator(member_.name)) designator_ = designator;
  state_ = PeerState::reachable;
  trouble_.clear();
}

void Peer::mistaken() {
  const std::scoped_lock lock(mutex_);
  designator_ = parse_designator(member_.name);
}

bool Peer::not_reached(const std::string& trouble) {
  const std::scoped_lock lock(mutex_);
  const bool is_news = state_ != PeerState::unreachable || trouble_ != trouble;
  state_ = PeerState::unreachable;
  trouble_ = trouble;
  return is_news;
}

void Peer::pace(base::ByteCount bytes, const std::function<bool()>& stopped) {
  const std::uint64_t rate = limits_.bytes_per_second.value;
  if (rate == 0) return;
  base::Instant turn;
  {
    const std::scoped_lock lock(mutex_);
    turn = std::max(next_free_, clock_.now());
    const double seconds = static_cast<double>(bytes.value) / static_cast<double>(rate);
    next_free_ =
        turn + std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(seconds));
  }
  constexpr base::Duration nap = std::chrono::milliseconds(20);
  for (base::Instant now = clock_.now(); now < turn && !stopped(); now = clock_.now())
    std::this_thread::sleep_for(std::min(nap, turn - now));
}

void Peer::count_login() {
  const std::scoped_lock lock(mutex_);
  ++counters_.logins;
}

void Peer::count_pull(bool failed) {
  const std::scoped_lock lock(mutex_);
  ++(failed ? counters_.pulls_failed : counters_.pulls);
}

void Peer::count_bytes(base::ByteCount pulled, base::ByteCount zeroed) {
  const std::scoped_lock lock(mutex_);
  counters_.bytes_pulled += pulled.value;
  counters_.bytes_zeroed += zeroed.value;
}

PeerFacts Peer::facts() const {
  const std::scoped_lock lock(mutex_);
  return {member_, designator_, state_, trouble_, counters_};
}

Peers::Peers(const base::Clock& clock, base::Randomness& randomness,
             const CopyManagerDesignator& own)
    : clock_(clock), randomness_(randomness), own_(own) {}

// A thread of a peer that has just queued its last work may hold it for a moment yet, and must not
// be the one to end it.
Peers::~Peers() {
  retired_.insert(retired_.end(), peers_.begin(), peers_.end());
  peers_.clear();
  for (const PeerPtr& peer : retired_) {
    while (peer.use_count() > 1)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

std::shared_ptr<const GroupView> Peers::group() const {
  const std::scoped_lock lock(mutex_);
  return group_;
}

PeerPtr Peers::same_as_before(const GroupMember& member, const PullLimits& limits) const {
  for (const PeerPtr& peer : peers_) {
    if (peer->member() == member && peer->limits() == limits) return peer;
  }
  return nullptr;
}

void Peers::set_group(const std::optional<Group>& group) {
  std::shared_ptr<const GroupView> view;
  if (group) {
    view = std::make_shared<const GroupView>(
        GroupView{*group, derive_key(*group, GroupKeyPurpose::open_proof),
                  derive_key(*group, GroupKeyPurpose::opened_proof)});
  }
  std::vector<PeerPtr> gone;  // let go of after the lock: their threads end
  const std::scoped_lock one_at_a_time(mutex_);
  std::vector<PeerPtr> now;
  if (group) {
    for (const GroupMember& member : group->members) {
      PeerPtr peer = same_as_before(member, group->limits);
      if (peer == nullptr) peer = std::make_shared<Peer>(member, group->limits, clock_);
      now.push_back(std::move(peer));
    }
  }
  for (const PeerPtr& peer : peers_) {
    if (std::find(now.begin(), now.end(), peer) == now.end()) retired_.push_back(peer);
  }
  peers_ = std::move(now);
  const auto idle = std::partition(retired_.begin(), retired_.end(),
                                   [](const PeerPtr& peer) { return peer.use_count() > 1; });
  gone.assign(std::make_move_iterator(idle), std::make_move_iterator(retired_.end()));
  retired_.erase(idle, retired_.end());
  group_ = std::move(view);
}

// Also of those that are members no more, whose last pull gave its session back.
void Peers::end_idle_sessions() {
  std::vector<PeerPtr> all;
  {
    const std::scoped_lock lock(mutex_);
    all = peers_;
    all.insert(all.end(), retired_.begin(), retired_.end());
  }
  for (const PeerPtr& peer : all)
    peer->sessions().end_idle(clock_.now());
}

std::vector<PeerPtr> Peers::all() const {
  const std::scoped_lock lock(mutex_);
  return peers_;
}

PeerPtr Peers::find(const CopyManagerDesignator& designator) const {
  for (const PeerPtr& peer : all()) {
    if (peer->designator() == designator) return peer;
  }
  return nullptr;
}

}  // namespace copymgr
