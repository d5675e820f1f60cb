// What can be asked of the copy manager group that the array is in, and done to it. No answer holds
// the secret.
#pragma once

#include <vector>

#include "target/admin/api.hpp"
#include "target/admin/group_keeper.hpp"

namespace admin {

struct ArrayParts;

// All of it outlives the routes.
struct GroupParts {
  GroupKeeper& keeper;
  copymgr::Peers& peers;
  copymgr::CopyManager& copy_manager;
};

// Who they are, how they are, what was pulled from each.
nlohmann::json describe_members(const copymgr::Peers& peers);

// GET /v1/group
// POST /v1/group/create          {"name", "secret", "members": ["b=192.0.2.2:3260"]...}
// POST /v1/group/join            the same; the secret is not needed if the array is in it already
// DELETE /v1/group               the array leaves
// DELETE /v1/group/members/{}
// POST /v1/group/probe           {} asks every member who it is
// What changes the group is a change of the document.
std::vector<Route> group_routes(const ArrayParts& array);

}  // namespace admin
