// The copy manager group that the array is in: kept in the state directory, published to the copy
// manager and to the portals, changed while the array serves.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "copymgr/copy_manager.hpp"
#include "copymgr/peers.hpp"
#include "target/net/server.hpp"

namespace admin {

// The first line of the file. The error is one line for a person and never holds it.
base::Result<std::string, std::string> read_group_secret(const std::string& path);

// Callable from any thread.
class GroupKeeper {
 public:
  // All references outlive it. `path`: a file that only this user may read.
  GroupKeeper(std::string path, copymgr::Peers& peers, copymgr::CopyManager& copy_manager,
              net::Server& server);

  // Once, at the start: `given` if there is one, which is kept from now on; else what was kept.
  base::Result<void, std::string> open(const std::optional<copymgr::Group>& given);

  std::optional<copymgr::Group> group() const;
  // All three are kept when they return; the error is one line for a person, and nothing changed.
  base::Result<void, std::string> create(const copymgr::Group& group);
  // The members of a group that the array is in already (the secret need not be told again, the
  // limits stay), or a new group.
  base::Result<void, std::string> join(const copymgr::Group& group);
  base::Result<void, std::string> leave();
  base::Result<void, std::string> remove_member(const std::string& name);

 private:
  base::Result<void, std::string> change_to(const std::optional<copymgr::Group>& group);
  void publish(const std::optional<copymgr::Group>& group);

  const std::string path_;
  copymgr::Peers& peers_;
  copymgr::CopyManager& copy_manager_;
  net::Server& server_;
  mutable std::mutex mutex_;
  std::optional<copymgr::Group> group_;
};

}  // namespace admin
