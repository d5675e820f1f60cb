#include "tools/host/session.hpp"

#include <algorithm>
#include <deque>
#include <thread>
#include <unordered_map>

#include <fmt/format.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/broken_pipe.hpp"
#include "tools/host/reachability.hpp"

namespace host {
namespace {

using base::fail;

// libiscsi hands sense data over as it arrived: a two-byte length, then the sense bytes.
std::optional<scsi::Sense> sense_of(const scsi_task& task) {
  if (task.datain.data == nullptr || task.datain.size <= 2) return std::nullopt;
  const base::ByteView segment(task.datain.data, static_cast<std::size_t>(task.datain.size));
  const std::size_t told = base::load_be16(segment, 0);
  return scsi::parse_sense(segment.subspan(2, std::min(told, segment.size() - 2)));
}

std::string one_line(const char* text) {
  std::string out = text == nullptr ? "" : text;
  while (!out.empty() && (out.back() == '\n' || out.back() == ' '))
    out.pop_back();
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}

}  // namespace

struct Session::State {
  // A command in libiscsi's hands.
  struct Pending {
    State* session;
    scsi_task* task;
    scsi_iovec data;
    Done done;
    std::uint32_t timeout_seconds;
  };

  iscsi_context* context = nullptr;
  Url url;
  SessionSettings settings;
  std::optional<std::string> lost;  // why the session is gone
  std::deque<Done> undeliverable;   // commands started on a lost session
  std::unordered_map<Pending*, std::unique_ptr<Pending>> in_flight;

  ~State();
  void lose(std::string why);
  void cancel_all();
  void end(std::unique_ptr<Pending> pending, int status);
  Reply undelivered(int status, std::uint32_t timeout_seconds) const;
  static void finished(iscsi_context*, int status, void*, void* pending);
};

Session::State::~State() {
  if (context == nullptr) return;
  if (!lost && iscsi_is_logged_in(context) != 0) iscsi_logout_sync(context);
  iscsi_destroy_context(context);
}

void Session::State::lose(std::string why) {
  if (!lost) lost = fmt::format("connection to {} lost: {}", url.portal, why);
  cancel_all();
}

// libiscsi calls back for what it cancels, but not in every state of a dying session: the rest ends
// here.
void Session::State::cancel_all() {
  iscsi_scsi_cancel_all_tasks(context);
  while (!in_flight.empty()) {
    auto node = in_flight.extract(in_flight.begin());
    end(std::move(node.mapped()), SCSI_STATUS_CANCELLED);
  }
}

Reply Session::State::undelivered(int status, std::uint32_t timeout_seconds) const {
  Reply reply;
  if (status == SCSI_STATUS_TIMEOUT) {
    reply.trouble = fmt::format("no answer from {} in {} s", url.portal, timeout_seconds);
  } else {
    reply.trouble = lost.value_or(fmt::format("connection to {} lost", url.portal));
  }
  return reply;
}

void Session::State::end(std::unique_ptr<Pending> pending, int status) {
  scsi_task& task = *pending->task;
  Reply reply;
  if (status >= 0 && status <= 0xff) {
    reply.delivered = true;
    reply.status = static_cast<scsi::Status>(status);
    if (reply.status == scsi::Status::check_condition) reply.sense = sense_of(task);
    if (reply.status == scsi::Status::good && task.xfer_dir == SCSI_XFER_READ) {
      const auto expected = static_cast<std::size_t>(task.expxferlen);
      const bool underflow = task.residual_status == SCSI_RESIDUAL_UNDERFLOW;
      reply.data_in_bytes = expected - (underflow ? std::min(task.residual, expected) : 0);
    }
  } else {
    // A unit that stopped answering may still be at work on the command: the session is not used
    // again.
    reply = undelivered(status, pending->timeout_seconds);
    if (!lost) lost = reply.trouble;
  }
  scsi_free_scsi_task(&task);
  pending->done(std::move(reply));
}

void Session::State::finished(iscsi_context*, int status, void*, void* private_data) {
  auto* pending = static_cast<Pending*>(private_data);
  State& self = *pending->session;
  auto node = self.in_flight.extract(pending);
  self.end(std::move(node.mapped()), status);
}

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::~Session() = default;

base::Result<std::unique_ptr<Session>, std::string> Session::open(const Url& url,
                                                                  const SessionSettings& settings) {
  constexpr int connect_attempts = 3;  // SYNs: about seven seconds
  base::ignore_broken_pipes();
  auto state = std::make_unique<State>();
  state->url = url;
  state->settings = settings;
  state->context = iscsi_create_context(settings.initiator_name.c_str());
  iscsi_context* context = state->context;
  if (context == nullptr) return fail(std::string("out of memory for an iSCSI session"));
  iscsi_set_targetname(context, url.target_name.c_str());
  iscsi_set_session_type(context, ISCSI_SESSION_NORMAL);
  iscsi_set_header_digest(context, ISCSI_HEADER_DIGEST_NONE_CRC32C);
  iscsi_set_noautoreconnect(context, 1);
  iscsi_set_reconnect_max_retries(context, 0);
  iscsi_set_tcp_syncnt(context, connect_attempts);
  iscsi_set_timeout(context, static_cast<int>(settings.command_timeout_seconds));
  if (!url.user.empty()) {
    iscsi_set_initiator_username_pwd(context, url.user.c_str(), url.secret.c_str());
  }
  // LUN -1: no TEST UNIT READY behind our back, so that unit attentions reach us.
  if (iscsi_full_connect_sync(context, url.portal.c_str(), -1) != 0) {
    if (const auto why = why_unreachable(url.portal)) {
      return fail(fmt::format("cannot connect to {}: {}", url.portal, *why));
    }
    return fail(fmt::format("cannot log in to {} at {}: {}", url.target_name, url.portal,
                            one_line(iscsi_get_error(context))));
  }
  return std::unique_ptr<Session>(new Session(std::move(state)));
}

void Session::start(const Command& command, Done done) {
  if (state_->lost) return state_->undeliverable.push_back(std::move(done));
  scsi::CdbBytes cdb = command.cdb;
  const int direction = !command.data_out.empty()  ? SCSI_XFER_WRITE
                        : !command.data_in.empty() ? SCSI_XFER_READ
                                                   : SCSI_XFER_NONE;
  const std::size_t length = std::max(command.data_out.size(), command.data_in.size());
  const std::uint32_t timeout = command.timeout_seconds != 0
                                    ? command.timeout_seconds
                                    : state_->settings.command_timeout_seconds;
  auto pending = std::make_unique<State::Pending>(
      State::Pending{state_.get(), nullptr, {}, std::move(done), timeout});
  scsi_task* task =
      scsi_create_task(command.cdb_length, cdb.data(), direction, static_cast<int>(length));
  pending->task = task;
  if (direction == SCSI_XFER_WRITE) {
    // libiscsi only reads from an output vector; its type has no const.
    pending->data = {const_cast<std::uint8_t*>(command.data_out.data()), length};
    scsi_task_set_iov_out(task, &pending->data, 1);
  } else if (direction == SCSI_XFER_READ) {
    pending->data = {command.data_in.data(), length};
    scsi_task_set_iov_in(task, &pending->data, 1);
  }
  iscsi_set_timeout(state_->context, static_cast<int>(timeout));
  if (iscsi_scsi_command_async(state_->context, state_->url.lun, task, State::finished, nullptr,
                               pending.get()) != 0) {
    scsi_free_scsi_task(task);
    state_->undeliverable.push_back(std::move(pending->done));
    return state_->lose(one_line(iscsi_get_error(state_->context)));
  }
  State::Pending* key = pending.get();
  state_->in_flight.emplace(key, std::move(pending));
}

std::optional<Readiness> Session::readiness() {
  if (!state_->undeliverable.empty()) return std::nullopt;
  if (state_->lost) return Readiness{};
  return Readiness{iscsi_get_fd(state_->context),
                   static_cast<short>(iscsi_which_events(state_->context))};
}

void Session::service(short events) {
  while (!state_->undeliverable.empty()) {
    Done done = std::move(state_->undeliverable.front());
    state_->undeliverable.pop_front();
    done(state_->undelivered(SCSI_STATUS_ERROR, 0));
  }
  if (state_->lost) return state_->cancel_all();
  // Also without events: libiscsi looks at its timeouts here.
  if (iscsi_service(state_->context, events) < 0) {
    state_->lose(one_line(iscsi_get_error(state_->context)));
  }
}

void Session::pause(base::Duration duration) {
  std::this_thread::sleep_for(duration);
}

WireBytes Session::wire_bytes() const {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (getsockopt(iscsi_get_fd(state_->context), IPPROTO_TCP, TCP_INFO, &info, &length) != 0) {
    return {};
  }
  return {base::ByteCount(info.tcpi_bytes_sent - info.tcpi_bytes_retrans),
          base::ByteCount(info.tcpi_bytes_received)};
}

}  // namespace host
