#include "target/net/session_registry.hpp"

namespace net {

std::shared_ptr<SessionRegistry::Entry> SessionRegistry::add(const iscsi::SessionIdentity& identity,
                                                             base::UniqueFunction<void()> drop) {
  const Name name{identity.initiator_name, identity.isid, identity.target_name};
  const std::scoped_lock lock(mutex_);
  if (tsihs_.size() == UINT16_MAX) return nullptr;
  do {
    ++last_tsih_;
  } while (last_tsih_ == 0 || tsihs_.contains(last_tsih_));
  tsihs_.insert(last_tsih_);
  auto entry =
      std::shared_ptr<Entry>(new Entry{++last_number_, last_tsih_}, [this, name](Entry* gone) {
        remove(name, *gone);
        delete gone;
      });
  Live& place = live_[name];
  if (place.drop) place.drop();
  place = {entry->number, std::move(drop)};
  return entry;
}

void SessionRegistry::remove(const Name& name, const Entry& entry) {
  const std::scoped_lock lock(mutex_);
  tsihs_.erase(entry.tsih);
  const auto at = live_.find(name);
  if (at != live_.end() && at->second.number == entry.number) live_.erase(at);
}

std::size_t SessionRegistry::size() const {
  const std::scoped_lock lock(mutex_);
  return live_.size();
}

}  // namespace net
