// Connections of a session, the order of its commands, what it tells unasked. Its tasks are in
// session_tasks.cpp.
#include "target/iscsi/session.hpp"

#include <algorithm>

#include "target/iscsi/connection.hpp"

namespace iscsi {
namespace {

bool acts_on_task_set(const Bhs& request) {
  using device::TaskManagementFunction;
  const auto function =
      static_cast<TaskManagementFunction>(task_management_pdu::function.read(request));
  return opcode_of(request) == Opcode::task_management_request &&
         function != TaskManagementFunction::abort_task &&
         function != TaskManagementFunction::task_reassign;
}

std::uint32_t cmd_sn_of(const Bhs& request) {
  return static_cast<std::uint32_t>(bhs::cmd_sn.read(request));
}

}  // namespace

Session::Session(const ConnectionSettings& settings, SessionIdentity identity,
                 const Parameters& parameters, std::uint32_t first_cmd_sn)
    : settings_(settings),
      identity_(std::move(identity)),
      parameters_(parameters),
      window_(settings.command_window) {
  window_.start(first_cmd_sn);
}

Session::~Session() = default;

void Session::open(Admission admission) {
  admission_ = std::move(admission);
  if (admission_.server != nullptr) admission_.server->set_owner(this);
}

Connection* Session::find_connection(std::uint16_t cid) const {
  const auto at = std::find_if(connections_.begin(), connections_.end(),
                               [cid](const Connection* each) { return each->cid() == cid; });
  return at == connections_.end() ? nullptr : *at;
}

LoginStatus Session::may_join(std::uint16_t cid) const {
  if (ended_ || admission_.server == nullptr) return LoginStatus::session_does_not_exist;
  const std::size_t others = connections_.size() - (find_connection(cid) != nullptr ? 1 : 0);
  return others < parameters_.max_connections ? LoginStatus::success
                                              : LoginStatus::too_many_connections;
}

void Session::join(Connection& connection) {
  if (Connection* older = find_connection(connection.cid()))
    older->drop("a newer connection has its CID");
  connections_.push_back(&connection);
}

void Session::leave(Connection& connection) {
  std::erase(connections_, &connection);
  std::erase_if(held_, [&](const HeldRequest& held) {
    return held.connection == &connection && !held.counts();
  });
  for (HeldRequest& held : held_) {
    if (held.connection == &connection && held.task == nullptr) held.connection = nullptr;
  }
  std::vector<IscsiTask*> concerned;
  std::copy_if(active_.begin(), active_.end(), std::back_inserter(concerned),
               [&](const IscsiTask* task) { return task->connection == &connection; });
  abort(concerned, false, [](std::size_t) {});
  if (connections_.empty()) ended_ = true;
  release_held();
}

void Session::fail(const Connection& connection) {
  const auto others = connections_;
  for (Connection* other : others) {
    if (other != &connection) other->close("another connection of the session has failed");
  }
}

void Session::close(const std::string& reason) {
  ended_ = true;
  const auto all = connections_;
  for (Connection* connection : all)
    connection->close(reason);
}

void Session::end() {
  ended_ = true;
  const auto all = connections_;
  for (Connection* connection : all)
    connection->drop("a newer session has taken its place");
}

void Session::drop_connection() {
  close("the target was reset");
}

void Session::request_logout(base::Duration grace) {
  if (!logout_grace_) logout_grace_ = grace;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(grace).count();
  const auto all = connections_;
  for (Connection* connection : all) {
    connection->send_async(AsyncEvent::logout_requested, 0,
                           {0, 0, static_cast<std::uint16_t>(seconds)});
  }
}

void Session::report_event(std::uint64_t lun_field, const scsi::Sense& sense) {
  if (connections_.empty()) return;
  connections_.front()->send_async(AsyncEvent::scsi, lun_field, {}, sense_segment(sense));
}

void Session::tick(base::Instant now) {
  if (logout_grace_ && !logout_deadline_) logout_deadline_ = now + *logout_grace_;
  if (!logout_deadline_ || now < *logout_deadline_ || ended_) return;
  // Nothing is retained: at error recovery level 0 no task could be taken up again.
  const auto time2wait = static_cast<std::uint16_t>(parameters_.default_time2wait);
  connections_.front()->send_async(AsyncEvent::session_dropped, 0, {0, time2wait, 0});
  close("asked to log out, the initiator has not");
}

// On one connection requests arrive in the order in which they were sent, so a number can only be
// missing there if its request was rejected; with several, another connection may still bring it.
bool Session::tolerates_gaps() const {
  return connections_.size() > 1 || gap_ == window_.expected();
}

Session::Arrival Session::judge(const Bhs& request) const {
  const std::uint32_t cmd_sn = cmd_sn_of(request);
  const bool early = cmd_sn != window_.expected();
  if (bhs::immediate.is_set(request)) {
    // It concerns the commands that were sent before it, on whichever connection (RFC 7143 11.5.1).
    const bool waits = early && acts_on_task_set(request) && window_.admits(cmd_sn);
    return waits && connections_.size() > 1 ? Arrival::early : Arrival::in_order;
  }
  if (!window_.admits(cmd_sn)) return Arrival::ignored;
  if (!early) return Arrival::in_order;
  if (!tolerates_gaps()) return Arrival::skipped;
  const bool known = std::any_of(held_.begin(), held_.end(), [cmd_sn](const HeldRequest& held) {
    return held.cmd_sn == cmd_sn && held.counts();
  });
  return known ? Arrival::ignored : Arrival::early;
}

void Session::hold(HeldRequest request) {
  // An immediate request goes before the numbered one whose number it names.
  const auto at = std::find_if(held_.begin(), held_.end(), [&](const HeldRequest& each) {
    return serial_less(request.cmd_sn, each.cmd_sn) ||
           (request.cmd_sn == each.cmd_sn && !request.counts() && each.counts());
  });
  held_.insert(at, std::move(request));
}

std::size_t Session::held_immediate() const {
  return static_cast<std::size_t>(std::count_if(
      held_.begin(), held_.end(), [](const HeldRequest& each) { return !each.counts(); }));
}

void Session::plug(std::uint32_t cmd_sn) {
  hold({cmd_sn, nullptr, nullptr, {}});
  release_held();
}

void Session::release_held() {
  if (releasing_) return;
  releasing_ = true;
  while (!held_.empty() && held_.front().cmd_sn == window_.expected()) {
    const HeldRequest next = std::move(held_.front());
    held_.erase(held_.begin());
    if (next.connection != nullptr) {
      next.connection->deliver(next);
    } else {
      window_.advance();
    }
  }
  releasing_ = false;
}

}  // namespace iscsi
