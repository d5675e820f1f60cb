#include "target/admin/group_keeper.hpp"

#include "base/log.hpp"
#include "target/device/pull_server.hpp"

namespace admin {

using copymgr::Group;

GroupKeeper::GroupKeeper(copymgr::Peers& peers, copymgr::CopyManager& copy_manager,
                         net::Server& server, base::Executor& pool)
    : peers_(peers), copy_manager_(copy_manager), server_(server), pool_(pool) {}

std::optional<Group> GroupKeeper::group() const {
  const std::scoped_lock lock(mutex_);
  return group_;
}

void GroupKeeper::set(const std::optional<Group>& group) {
  const std::scoped_lock lock(mutex_);
  if (group_ == group) return;
  group_ = group;
  publish(group_);
}

// First who is asked, then what tokens say, then the door for others, then what hosts are to look
// at again.
void GroupKeeper::publish(const std::optional<Group>& group) {
  const bool was_in_group = copy_manager_.in_group();
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
  for (const net::PublishedTarget& target : server_.directory().read()->targets)
    target.device->group_changed(was_in_group, pool_);
  if (group) {
    base::log::info("in the copy manager group {} as {}, with {} other members", group->name,
                    copymgr::to_text(peers_.own()), group->members.size());
  }
}

}  // namespace admin
