#include "target/net/session_registry.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.hpp"
#include "target/iscsi/session.hpp"
#include "target/net/worker.hpp"

namespace net {
namespace {

void note(std::string_view event, const SessionFacts& facts, std::string_view what) {
  const iscsi::SessionIdentity& identity = facts.identity;
  const bool discovery = identity.target_name.empty();
  base::log::event(base::log::Level::info, event,
                   {{"session", facts.tsih},
                    {"initiator", identity.initiator_name},
                    {"target", identity.target_name},
                    {"peer", facts.peer}},
                   fmt::format("session {} of {} to {} {}", facts.tsih, identity.initiator_name,
                               discovery ? "discovery" : identity.target_name, what));
}

}  // namespace

std::shared_ptr<SessionRegistry::Entry> SessionRegistry::add(
    const std::shared_ptr<iscsi::Session>& session, Worker& home, std::string peer,
    base::Instant now) {
  // Entries are let go of outside the lock: the last one to do so takes it.
  std::vector<std::shared_ptr<Entry>> live, replaced;
  std::shared_ptr<Entry> entry;
  {
    const std::scoped_lock lock(mutex_);
    live = all_locked();
    // Discovery sessions do not replace each other: they are no nexus.
    std::copy_if(live.begin(), live.end(), std::back_inserter(replaced), [&](const auto& older) {
      return !session->identity().target_name.empty() &&
             older->facts.identity == session->identity();
    });
    if (by_tsih_.size() - std::min(replaced.size(), by_tsih_.size()) >= sessions_max_ ||
        by_tsih_.size() == UINT16_MAX) {
      return nullptr;
    }
    do {
      ++last_tsih_;
    } while (last_tsih_ == 0 || by_tsih_.contains(last_tsih_));
    entry = std::shared_ptr<Entry>(
        new Entry{
            {++last_number_, last_tsih_, session->identity(), std::move(peer), now}, home, session},
        [this](Entry* gone) {
          remove(*gone);
          note("session.closed", gone->facts, "is closed");
          delete gone;
        });
    by_tsih_[last_tsih_] = entry;
  }
  note("session.opened", entry->facts, "is open");
  for (const auto& older : replaced)
    with_session(*older, [](iscsi::Session& each) { each.end(); });
  return entry;
}

void SessionRegistry::remove(const Entry& entry) {
  const std::scoped_lock lock(mutex_);
  by_tsih_.erase(entry.facts.tsih);
}

std::shared_ptr<SessionRegistry::Entry> SessionRegistry::find(std::uint16_t tsih) const {
  const std::scoped_lock lock(mutex_);
  const auto at = by_tsih_.find(tsih);
  return at == by_tsih_.end() ? nullptr : at->second.lock();
}

std::vector<std::shared_ptr<SessionRegistry::Entry>> SessionRegistry::all() const {
  const std::scoped_lock lock(mutex_);
  return all_locked();
}

std::vector<std::shared_ptr<SessionRegistry::Entry>> SessionRegistry::all_locked() const {
  std::vector<std::shared_ptr<Entry>> out;
  for (const auto& [tsih, weak] : by_tsih_) {
    if (auto entry = weak.lock()) out.push_back(std::move(entry));
  }
  return out;
}

std::size_t SessionRegistry::size() const {
  const std::scoped_lock lock(mutex_);
  return by_tsih_.size();
}

void with_session(const SessionRegistry::Entry& entry, std::function<void(iscsi::Session&)> work) {
  entry.home.post([session = entry.session, work = std::move(work)] {
    if (const auto alive = session.lock()) work(*alive);
  });
}

}  // namespace net
