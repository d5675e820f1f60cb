// What can be logged in to, and where: an immutable value, published anew on every change.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "target/device/nexus.hpp"
#include "target/device/target_device.hpp"
#include "target/iscsi/chap.hpp"
#include "target/iscsi/host.hpp"
#include "target/net/access.hpp"
#include "target/net/endpoint.hpp"

namespace net {

struct PublishedTarget {
  std::shared_ptr<device::TargetDevice> device;
  std::string alias = {};
  iscsi::Authentication authentication = {};
  AccessList access = {};
  std::vector<LunMap> lun_maps = {};
  std::set<std::uint16_t> portal_groups = {};  // reached through these; none: through all
  std::optional<iscsi::Redirection> redirection = {};
  bool online = true;

  bool is_in(std::uint16_t portal_group) const {
    return portal_groups.empty() || portal_groups.contains(portal_group);
  }
};

struct PublishedPortal {
  Endpoint endpoint;
  std::uint16_t portal_group = 1;
};

// A target that is told to nobody: what answers there is made for each session by `serve`.
struct HiddenTarget {
  std::string name;
  iscsi::Authentication authentication;
  std::function<std::unique_ptr<device::TaskServer>(const std::string& initiator_name,
                                                    const device::WorkerContext& worker)>
      serve;
};

struct Directory {
  std::vector<PublishedPortal> portals;
  std::vector<PublishedTarget> targets;
  iscsi::Authentication discovery_authentication;
  std::optional<HiddenTarget> hidden = {};

  const HiddenTarget* find_hidden(std::string_view name) const {
    return hidden && hidden->name == name ? &*hidden : nullptr;
  }

  const PublishedTarget* find(std::string_view name) const;
};

// Read by every login, changed by whoever provisions.
class DirectoryBoard {
 public:
  std::shared_ptr<const Directory> read() const {
    const std::scoped_lock lock(mutex_);
    return directory_;
  }
  template <typename Change>
  void change(const Change& change) {
    const std::scoped_lock lock(mutex_);
    auto next = std::make_shared<Directory>(*directory_);
    change(*next);
    directory_ = std::move(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Directory> directory_ = std::make_shared<Directory>();
};

}  // namespace net
