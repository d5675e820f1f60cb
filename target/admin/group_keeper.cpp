#include "target/admin/group_keeper.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "target/admin/state_directory.hpp"
#include "target/device/pull_server.hpp"

namespace admin {
namespace {

using copymgr::Group;
using nlohmann::json;

std::string encode(const Group& group) {
  json members = json::array();
  for (const auto& member : group.members)
    members.push_back({{"name", member.name}, {"portals", member.portals}});
  return json{{"name", group.name},
              {"secret", group.secret},
              {"members", members},
              {"pulls_at_once", group.limits.pulls_at_once},
              {"bytes_per_second", group.limits.bytes_per_second.value}}
      .dump();
}

// Throws json::exception for what encode() cannot have made.
Group decode(const std::string& text) {
  const json from = json::parse(text);
  Group out;
  out.name = from.at("name");
  out.secret = from.at("secret");
  for (const json& member : from.at("members"))
    out.members.push_back({member.at("name"), member.at("portals")});
  out.limits.pulls_at_once = from.at("pulls_at_once");
  out.limits.bytes_per_second = base::ByteCount(from.at("bytes_per_second"));
  return out;
}

std::optional<std::string> fault_in(const Group& group) {
  if (auto fault = copymgr::fault_of(group)) return fault;
  for (const auto& member : group.members) {
    for (const std::string& portal : member.portals) {
      if (const auto endpoint = net::parse_endpoint(portal); !endpoint) return endpoint.error();
    }
  }
  return std::nullopt;
}

}  // namespace

base::Result<std::string, std::string> read_group_secret(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (file && std::getline(file, line) && !line.empty()) return line;
  return base::fail(
      fmt::format("cannot read the secret of the group from {}: its first line is it", path));
}

GroupKeeper::GroupKeeper(std::string path, copymgr::Peers& peers,
                         copymgr::CopyManager& copy_manager, net::Server& server)
    : path_(std::move(path)), peers_(peers), copy_manager_(copy_manager), server_(server) {}

base::Result<void, std::string> GroupKeeper::open(const std::optional<Group>& given) {
  const std::scoped_lock lock(mutex_);
  if (given) return change_to(given);
  std::ifstream file(path_, std::ios::binary);
  if (!file) return {};
  try {
    group_ = decode({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
  } catch (const json::exception&) {
    return base::fail(
        fmt::format("{} does not hold a copy manager group: remove it to leave the "
                    "group",
                    path_));
  }
  publish(group_);
  return {};
}

std::optional<Group> GroupKeeper::group() const {
  const std::scoped_lock lock(mutex_);
  return group_;
}

base::Result<void, std::string> GroupKeeper::create(const Group& group) {
  const std::scoped_lock lock(mutex_);
  if (group_)
    return base::fail(fmt::format("the array is in the group {}: leave first", group_->name));
  return change_to(group);
}

base::Result<void, std::string> GroupKeeper::join(const Group& group) {
  const std::scoped_lock lock(mutex_);
  if (!group_) return change_to(group);
  if (group_->name != group.name) {
    return base::fail(fmt::format("the array is in the group {}: leave first", group_->name));
  }
  if (!group.secret.empty() && group.secret != group_->secret) {
    return base::fail(fmt::format("the group {} has another secret here", group_->name));
  }
  Group next = *group_;
  for (const auto& member : group.members) {
    std::erase_if(next.members, [&](const auto& each) { return each.name == member.name; });
    next.members.push_back(member);
  }
  return change_to(next);
}

base::Result<void, std::string> GroupKeeper::leave() {
  const std::scoped_lock lock(mutex_);
  if (!group_) return base::fail(std::string("the array is in no group"));
  return change_to(std::nullopt);
}

base::Result<void, std::string> GroupKeeper::remove_member(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  if (!group_) return base::fail(std::string("the array is in no group"));
  Group next = *group_;
  if (std::erase_if(next.members, [&](const auto& each) { return each.name == name; }) == 0) {
    return base::fail(fmt::format("the group {} has no member {}", next.name, name));
  }
  return change_to(next);
}

base::Result<void, std::string> GroupKeeper::change_to(const std::optional<Group>& group) {
  if (group) {
    if (auto fault = fault_in(*group)) return base::fail(*fault);
    constexpr unsigned for_this_user = 0600;
    if (auto kept = write_file_atomically(path_, encode(*group), for_this_user); !kept) return kept;
  } else {
    std::error_code error;
    std::filesystem::remove(path_, error);
    if (error) return base::fail(fmt::format("cannot remove {}: {}", path_, error.message()));
  }
  group_ = group;
  publish(group_);
  return {};
}

// First who is asked, then what tokens say, then the door for others.
void GroupKeeper::publish(const std::optional<Group>& group) {
  peers_.set_group(group);
  copy_manager_.group_changed();
  server_.directory().change([&](net::Directory& directory) {
    directory.hidden.reset();
    if (!group) return;
    net::HiddenTarget& hidden = directory.hidden.emplace();
    hidden.name = copymgr::pull_target_name;
    hidden.authentication.derived_target_name = group->name;
    // One with this array's own name would be its own login, sent back to it.
    hidden.authentication.derive =
        [group = *group, own = copymgr::to_text(peers_.own())](
            const std::string& name) -> std::optional<iscsi::Authentication::Derived> {
      if (name == own || !copymgr::parse_designator(name)) return std::nullopt;
      using copymgr::LoginSide;
      return iscsi::Authentication::Derived{
          copymgr::derive_login_secret(group, LoginSide::initiator, name),
          copymgr::derive_login_secret(group, LoginSide::target, name)};
    };
    hidden.serve = [this](const std::string& opener, const device::WorkerContext& worker) {
      return std::make_unique<device::PullServer>(copy_manager_, peers_, opener, worker);
    };
  });
  if (group) {
    base::log::info("in the copy manager group {} as {}, with {} other members", group->name,
                    copymgr::to_text(peers_.own()), group->members.size());
  }
}

}  // namespace admin
