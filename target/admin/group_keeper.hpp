// The copy manager group that the array is in, made known to the copy manager and to the portals
// while the array serves. What the group is, is the document's to say (group_document.hpp).
#pragma once

#include <mutex>
#include <optional>

#include "copymgr/copy_manager.hpp"
#include "copymgr/peers.hpp"
#include "target/net/server.hpp"

namespace admin {

// Callable from any thread.
class GroupKeeper {
 public:
  // All references outlive it, and sessions of members.
  GroupKeeper(copymgr::Peers& peers, copymgr::CopyManager& copy_manager, net::Server& server,
              base::Executor& pool);

  std::optional<copymgr::Group> group() const;
  // Nothing happens if it is that group already; nullopt: the array leaves. Hosts are told of units
  // whose INQUIRY tells something else then, and have been when this returns; not on a worker's
  // thread.
  void set(const std::optional<copymgr::Group>& group);

 private:
  void publish(const std::optional<copymgr::Group>& group);

  copymgr::Peers& peers_;
  copymgr::CopyManager& copy_manager_;
  net::Server& server_;
  base::Executor& pool_;
  mutable std::mutex mutex_;
  std::optional<copymgr::Group> group_;
};

}  // namespace admin
