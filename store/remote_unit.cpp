// libiscsi without its threads and without its own waiting: every command is asynchronous there,
// and wait_until() is the only place that sleeps.
#include "store/remote_unit.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <new>
#include <utility>

#include <fmt/format.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <poll.h>

#include "base/broken_pipe.hpp"

namespace store {
namespace {

using Kind = RemoteTrouble::Kind;

// How long to sleep at most before the next look at `stopped` and the deadline.
constexpr int nap_milliseconds = 20;
constexpr std::uint64_t read_bytes = 1u << 20;
constexpr std::align_val_t buffer_alignment{4096};  // a store may write by O_DIRECT

std::string one_line(const char* text) {
  std::string out = text == nullptr ? "" : text;
  std::replace(out.begin(), out.end(), '\n', ' ');
  while (!out.empty() && out.back() == ' ')
    out.pop_back();
  return out;
}

}  // namespace

struct RemoteUnit::State {
  // A command in libiscsi's hands. Lives until its callback has run.
  struct Pending {
    State* unit = nullptr;
    scsi_task* task = nullptr;
    scsi_iovec data{};
    bool ended = false;
    int status = SCSI_STATUS_GOOD;
    std::size_t bytes_in = 0;
    std::vector<std::uint8_t> sense;

    Pending() = default;
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;
    // Of a command that has ended, or whose context is gone.
    ~Pending() {
      if (task != nullptr) scsi_free_scsi_task(task);
    }
  };

  State(const RemoteAddress& to, const RemoteLimits& with, const base::Clock& time, Stopped stop)
      : address(to), limits(with), clock(time), stopped(std::move(stop)) {}
  ~State();

  RemoteResult<> log_in();
  std::unique_ptr<Pending> start(base::ByteView cdb, base::ByteView data_out,
                                 base::ByteSpan data_in);
  // Serves the connection until `done()`, or says why that did not come.
  template <class Done>
  RemoteResult<> wait_until(const Done& done, base::Duration patience);
  RemoteResult<std::size_t> outcome_of(const Pending& pending) const;
  RemoteTrouble unreachable(const std::string& why) const {
    return {Kind::unreachable, fmt::format("{}: {}", address.portal, why), {}};
  }
  // Nothing of what was started is under way any more, and nothing more can be.
  void give_up();
  static void connected(iscsi_context*, int status, void*, void* state);
  static void logged_in(iscsi_context*, int status, void*, void* state);
  static void finished(iscsi_context*, int status, void*, void* pending);

  const RemoteAddress address;
  const RemoteLimits limits;
  const base::Clock& clock;
  Stopped stopped;
  iscsi_context* context = nullptr;
  std::optional<int> login_status;
  std::uint64_t progress = 0;  // commands that have ended
  bool lost = false;
  std::vector<Buffer> idle;
  std::unique_ptr<Pending> told;  // nobody has waited for its answer yet
};

void RemoteUnit::State::give_up() {
  lost = true;
  if (context == nullptr) return;
  iscsi_scsi_cancel_all_tasks(context);
  iscsi_destroy_context(std::exchange(context, nullptr));
}

RemoteUnit::State::~State() {
  if (context == nullptr) return;
  // A logout that nobody waits for: the other side ends the session with the connection as well.
  if (!lost && iscsi_is_logged_in(context) != 0) {
    iscsi_logout_async(
        context, [](iscsi_context*, int, void*, void*) {}, nullptr);
    iscsi_service(context, POLLOUT);
  }
  iscsi_destroy_context(context);
}

void RemoteUnit::State::connected(iscsi_context* context, int status, void* data, void* state) {
  const bool asked =
      status == SCSI_STATUS_GOOD && iscsi_login_async(context, logged_in, state) == 0;
  if (!asked) logged_in(context, SCSI_STATUS_ERROR, data, state);
}

void RemoteUnit::State::logged_in(iscsi_context*, int status, void*, void* state) {
  static_cast<State*>(state)->login_status = status;
}

void RemoteUnit::State::finished(iscsi_context*, int status, void*, void* private_data) {
  auto& pending = *static_cast<Pending*>(private_data);
  scsi_task& task = *pending.task;
  pending.ended = true;
  pending.status = status;
  ++pending.unit->progress;
  if (status == SCSI_STATUS_GOOD && task.xfer_dir == SCSI_XFER_READ) {
    const auto expected = static_cast<std::size_t>(task.expxferlen);
    const bool underflow = task.residual_status == SCSI_RESIDUAL_UNDERFLOW;
    pending.bytes_in = expected - (underflow ? std::min(task.residual, expected) : 0);
  }
  // libiscsi hands sense over as it arrived: a two-byte length, then the bytes.
  if (status == SCSI_STATUS_CHECK_CONDITION && task.datain.size > 2) {
    pending.sense.assign(task.datain.data + 2, task.datain.data + task.datain.size);
  }
}

RemoteResult<> RemoteUnit::State::log_in() {
  base::ignore_broken_pipes();
  context = iscsi_create_context(address.initiator_name.c_str());
  if (context == nullptr) return base::fail(unreachable("out of memory"));
  iscsi_set_targetname(context, address.target_name.c_str());
  iscsi_set_session_type(context, ISCSI_SESSION_NORMAL);
  iscsi_set_header_digest(context, ISCSI_HEADER_DIGEST_NONE_CRC32C);
  iscsi_set_noautoreconnect(context, 1);
  iscsi_set_reconnect_max_retries(context, 0);
  iscsi_set_tcp_user_timeout(
      context, static_cast<int>(limits.answer_timeout / std::chrono::milliseconds(1)));
  iscsi_set_initiator_username_pwd(context, address.user.c_str(), address.secret.c_str());
  iscsi_set_target_username_pwd(context, address.target_user.c_str(),
                                address.target_secret.c_str());
  // Not iscsi_full_connect_async: what that allocates is lost when the context goes before an
  // answer came.
  if (iscsi_connect_async(context, address.portal.c_str(), connected, this) != 0) {
    return base::fail(unreachable(one_line(iscsi_get_error(context))));
  }
  auto waited = wait_until([this] { return login_status.has_value(); }, limits.connect_timeout);
  if (!waited) return waited;
  if (*login_status == SCSI_STATUS_GOOD) return {};
  return base::fail(unreachable(one_line(iscsi_get_error(context))));
}

template <class Done>
RemoteResult<> RemoteUnit::State::wait_until(const Done& done, base::Duration patience) {
  base::Instant deadline = clock.now() + patience;
  std::uint64_t seen = progress;
  while (!done()) {
    if (lost) return base::fail(unreachable("the connection is lost"));
    if (stopped && stopped()) return base::fail(RemoteTrouble{Kind::stopped, "stopped", {}});
    pollfd waiting{iscsi_get_fd(context), static_cast<short>(iscsi_which_events(context)), 0};
    const int ready = ::poll(&waiting, 1, nap_milliseconds);
    if (ready >= 0 && iscsi_service(context, waiting.revents) < 0) {
      lost = true;
      return base::fail(unreachable(one_line(iscsi_get_error(context))));
    }
    const base::Instant now = clock.now();
    if (progress != seen) deadline = now + patience;
    seen = progress;
    if (now >= deadline && !done()) {
      lost = true;
      return base::fail(unreachable("no answer"));
    }
  }
  return {};
}

std::unique_ptr<RemoteUnit::State::Pending> RemoteUnit::State::start(base::ByteView cdb,
                                                                     base::ByteView data_out,
                                                                     base::ByteSpan data_in) {
  auto pending = std::make_unique<Pending>();
  pending->unit = this;
  const int direction = !data_out.empty()  ? SCSI_XFER_WRITE
                        : !data_in.empty() ? SCSI_XFER_READ
                                           : SCSI_XFER_NONE;
  std::array<std::uint8_t, 16> bytes{};
  std::copy_n(cdb.begin(), std::min(cdb.size(), bytes.size()), bytes.begin());
  const std::size_t length = std::max(data_out.size(), data_in.size());
  pending->task = scsi_create_task(static_cast<int>(bytes.size()), bytes.data(), direction,
                                   static_cast<int>(length));
  if (direction == SCSI_XFER_WRITE) {
    // libiscsi only reads from an output vector; its type has no const.
    pending->data = {const_cast<std::uint8_t*>(data_out.data()), length};
    scsi_task_set_iov_out(pending->task, &pending->data, 1);
  } else if (direction == SCSI_XFER_READ) {
    pending->data = {data_in.data(), length};
    scsi_task_set_iov_in(pending->task, &pending->data, 1);
  }
  if (lost || iscsi_scsi_command_async(context, address.lun, pending->task, finished, nullptr,
                                       pending.get()) != 0) {
    lost = true;
    pending->ended = true;
    pending->status = SCSI_STATUS_ERROR;
  }
  return pending;
}

RemoteResult<std::size_t> RemoteUnit::State::outcome_of(const Pending& pending) const {
  if (pending.status == SCSI_STATUS_GOOD) return pending.bytes_in;
  if (pending.status == SCSI_STATUS_CHECK_CONDITION) {
    return base::fail(RemoteTrouble{Kind::refused, "refused", pending.sense});
  }
  return base::fail(unreachable(fmt::format("status {:02x}h", pending.status)));
}

RemoteUnit::RemoteUnit(std::unique_ptr<State> state) : state_(std::move(state)) {}
RemoteUnit::~RemoteUnit() = default;

RemoteResult<std::unique_ptr<RemoteUnit>> RemoteUnit::connect(const RemoteAddress& address,
                                                              const RemoteLimits& limits,
                                                              const base::Clock& clock,
                                                              Stopped stopped) {
  auto state = std::make_unique<State>(address, limits, clock, std::move(stopped));
  if (auto in = state->log_in(); !in) return base::fail(in.error());
  return std::unique_ptr<RemoteUnit>(new RemoteUnit(std::move(state)));
}

RemoteResult<std::size_t> RemoteUnit::command(base::ByteView cdb, base::ByteView data_out,
                                              base::ByteSpan data_in,
                                              std::optional<base::Duration> patience) {
  State& s = *state_;
  const base::Duration wait = patience.value_or(s.limits.answer_timeout);
  if (auto trouble = await_told(wait)) return base::fail(*trouble);
  const auto pending = s.start(cdb, data_out, data_in);
  const auto waited = s.wait_until([&] { return pending->ended; }, wait);
  if (!waited) {
    s.give_up();
    return base::fail(waited.error());
  }
  return s.outcome_of(*pending);
}

void RemoteUnit::tell(base::ByteView cdb) {
  State& s = *state_;
  if (s.lost || s.told != nullptr) return s.give_up();
  s.told = s.start(cdb, {}, {});
  if (!s.lost && iscsi_service(s.context, POLLOUT) < 0) s.give_up();
}

std::optional<RemoteTrouble> RemoteUnit::await_told(base::Duration patience) {
  State& s = *state_;
  if (s.told == nullptr) return std::nullopt;
  const auto waited = s.wait_until([&] { return s.told->ended; }, patience);
  if (!waited) {
    s.give_up();
    return waited.error();
  }
  const auto told = std::exchange(s.told, nullptr);
  const auto outcome = s.outcome_of(*told);
  return outcome ? std::nullopt : std::optional(outcome.error());
}

void RemoteUnit::set_stopped(Stopped stopped) {
  state_->stopped = std::move(stopped);
}

bool RemoteUnit::is_lost() const {
  return state_->lost;
}

namespace {

constexpr std::size_t status_header_bytes = 8, status_descriptor_bytes = 16;
constexpr std::size_t status_descriptors_max = 256;

std::array<std::uint8_t, 16> media_cdb(std::uint8_t opcode, std::uint8_t action, std::uint64_t lba,
                                       std::uint64_t count) {
  std::array<std::uint8_t, 16> cdb{opcode, action};
  base::store_be64(cdb, 2, lba);
  base::store_be32(cdb, 10, static_cast<std::uint32_t>(count));
  return cdb;
}

}  // namespace

// GET LBA STATUS(16), as often as it takes; `extent` is not empty.
RemoteResult<std::vector<Store::Run>> RemoteUnit::map(base::Extent extent,
                                                      base::BlockLength length) {
  std::vector<Store::Run> out;
  std::vector<std::uint8_t> answer(status_header_bytes +
                                   status_descriptors_max * status_descriptor_bytes);
  for (std::uint64_t at = extent.offset.value; at < extent.end().value;) {
    const auto cdb = media_cdb(0x9e, 0x12, at / length.bytes, answer.size());
    const auto came = command(cdb, {}, answer);
    if (!came) return base::fail(came.error());
    const std::uint64_t before = at;
    const std::size_t said = std::min<std::size_t>(*came, 4 + base::load_be32(answer, 0));
    for (std::size_t i = status_header_bytes;
         i + status_descriptor_bytes <= said && at < extent.end().value;
         i += status_descriptor_bytes) {
      const std::uint64_t bytes = std::uint64_t{base::load_be32(answer, i + 8)} * length.bytes;
      const bool follows = base::load_be64(answer, i) * length.bytes == at && bytes != 0;
      if (!follows) break;
      const std::uint64_t cut = std::min(bytes, extent.end().value - at);
      out.push_back({base::ByteCount(cut), (answer[i + 12] & 0x0f) == 1});
      at += cut;
    }
    if (at == before) return base::fail(state_->unreachable("GET LBA STATUS tells nothing"));
  }
  return out;
}

// READs are started in order and taken in order.
struct RemoteUnit::Part {
  base::Extent extent;
  bool hole = false;
  Buffer buffer;
  std::unique_ptr<State::Pending> pending;
};

RemoteUnit::Streamed RemoteUnit::stream(base::Extent extent, base::BlockLength length,
                                        const Taker& taker) {
  Streamed out;
  auto runs = map(extent, length);
  if (!runs) {
    out.trouble = runs.error();
    return out;
  }
  std::deque<Part> under_way;
  base::ByteOffset next = extent.offset;
  std::size_t run = 0;
  const auto fill = [&] {
    while (run < runs->size() && under_way.size() < state_->limits.reads_in_flight) {
      Store::Run& rest = (*runs)[run];
      const std::uint64_t most = rest.hole ? rest.length.value : read_bytes;
      const base::ByteCount cut(std::min(rest.length.value, most));
      under_way.push_back(begin({next, cut}, rest.hole, length));
      next += cut;
      rest.length -= cut;
      if (rest.length.value == 0) ++run;
    }
  };
  for (fill(); !under_way.empty(); fill()) {
    Part& first = under_way.front();
    if (auto trouble = complete(first)) {
      out.trouble = std::move(trouble);
      break;
    }
    const auto taken = first.hole ? taker.take_zeros(first.extent)
                                  : taker.take(first.extent.offset, view_of(first));
    if (!taken) {
      out.not_taken = taken.error();
      break;
    }
    out.bytes += first.extent.length;
    give_back(std::move(first.buffer));
    under_way.pop_front();
  }
  // What is still under way would write into buffers that go.
  if (!under_way.empty()) state_->give_up();
  return out;
}

RemoteUnit::Part RemoteUnit::begin(base::Extent extent, bool hole, base::BlockLength length) {
  Part out{extent, hole, {}, nullptr};
  if (hole) return out;
  out.buffer = take_buffer();
  const auto cdb =
      media_cdb(0x88, 0, extent.offset.value / length.bytes, extent.length.value / length.bytes);
  out.pending = state_->start(cdb, {}, {out.buffer.get(), extent.length.value});
  return out;
}

std::optional<RemoteTrouble> RemoteUnit::complete(Part& part) {
  if (part.hole) return std::nullopt;
  const auto waited =
      state_->wait_until([&] { return part.pending->ended; }, state_->limits.answer_timeout);
  if (!waited) return waited.error();
  const auto came = state_->outcome_of(*part.pending);
  if (!came) return came.error();
  if (*came == part.extent.length.value) return std::nullopt;
  return state_->unreachable("a READ gave less than was asked for");
}

base::ByteView RemoteUnit::view_of(const Part& part) {
  return {part.buffer.get(), part.extent.length.value};
}

RemoteUnit::Buffer RemoteUnit::take_buffer() {
  if (state_->idle.empty()) {
    return Buffer(static_cast<std::uint8_t*>(::operator new(read_bytes, buffer_alignment)));
  }
  Buffer out = std::move(state_->idle.back());
  state_->idle.pop_back();
  return out;
}

void RemoteUnit::give_back(Buffer buffer) {
  if (buffer != nullptr) state_->idle.push_back(std::move(buffer));
}

void RemoteUnit::FreeBuffer::operator()(std::uint8_t* bytes) const {
  ::operator delete(bytes, buffer_alignment);
}

}  // namespace store
