#include "tools/load/run.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tools/load/cpu_time.hpp"
#include "tools/load/session.hpp"

namespace load {
namespace {

using base::fail;

constexpr std::size_t scratch_bytes = 256u << 10;  // stays in the cache of its core

class Epoll {
 public:
  Epoll() : descriptor_(epoll_create1(EPOLL_CLOEXEC)) {}
  ~Epoll() { close(descriptor_); }
  Epoll(const Epoll&) = delete;
  Epoll& operator=(const Epoll&) = delete;

  void watch(Session& session, bool writable, int operation) {
    epoll_event event{};
    event.events = EPOLLIN | (writable ? EPOLLOUT : 0u);
    event.data.ptr = &session;
    epoll_ctl(descriptor_, operation, session.descriptor(), &event);
  }
  std::span<const epoll_event> wait(int milliseconds) {
    const int n =
        epoll_wait(descriptor_, events_.data(), static_cast<int>(events_.size()), milliseconds);
    return std::span(events_).first(static_cast<std::size_t>(std::max(n, 0)));
  }

 private:
  int descriptor_;
  std::array<epoll_event, 256> events_{};
};

struct CpuTimes {
  explicit CpuTimes(const Settings& settings) : own(cpu_seconds_of(0).value_or(0)) {
    if (settings.target_process) target = cpu_seconds_of(*settings.target_process);
  }
  double own;
  std::optional<double> target;
};

// All sessions and the time that they have.
class Run {
 public:
  Run(Work& work, const base::Clock& clock) : work_(work), clock_(clock), scratch_(scratch_bytes) {}

  void add(Prepared prepared) {
    const auto index = static_cast<unsigned>(sessions_.size());
    Session& session =
        *sessions_.emplace_back(std::make_unique<Session>(std::move(prepared), work_, index));
    epoll_.watch(session, false, EPOLL_CTL_ADD);
  }

  void go() {
    begin_measuring();
    work_.measuring = work_.settings.warm_up.count() == 0;
    for (const auto& session : sessions_) {
      work_.now = clock_.now();
      pump(*session);
    }
    last_answer_ = work_.now;
    while (work_.trouble.empty() && !finished())
      turn();
    if (work_.measuring) end_measuring();
  }

 private:
  bool finished() const {
    if (!work_.stopped && !work_.all_started()) return false;
    return std::all_of(sessions_.begin(), sessions_.end(),
                       [](const auto& session) { return session->idle(); });
  }

  void turn() {
    constexpr int sleep_milliseconds = 100;
    const auto events = epoll_.wait(work_.settings.poll ? 0 : sleep_milliseconds);
    work_.now = clock_.now();
    look_at_the_clock(!events.empty());
    for (const epoll_event& event : events) {
      auto& session = *static_cast<Session*>(event.data.ptr);
      if ((event.events & EPOLLOUT) != 0) pump(session);
      if ((event.events & ~static_cast<unsigned>(EPOLLOUT)) == 0) continue;
      if (events.size() > 1) work_.now = clock_.now();
      const bool before = session.wants_to_write();
      session.on_readable(scratch_);
      note_blocked(session, before);
    }
  }

  void pump(Session& session) {
    const bool before = session.wants_to_write();
    session.pump();
    note_blocked(session, before);
  }
  void note_blocked(Session& session, bool before) {
    if (session.wants_to_write() != before)
      epoll_.watch(session, session.wants_to_write(), EPOLL_CTL_MOD);
  }

  void look_at_the_clock(bool answered) {
    const Settings& settings = work_.settings;
    if (answered) last_answer_ = work_.now;
    if (work_.now - last_answer_ > std::chrono::seconds(settings.timeout_seconds))
      return work_.fail(fmt::format("no answer in {} s", settings.timeout_seconds));
    if (!work_.measuring && !work_.stopped && work_.now - start_ >= settings.warm_up)
      return begin_measuring();
    if (settings.operations != 0 || work_.stopped) return;
    if (work_.measuring && work_.now - start_ >= settings.duration) {
      end_measuring();
      work_.stopped = true;
    }
  }
  void begin_measuring() {
    const base::ByteCount area = work_.measured.area;
    work_.measured = {};
    work_.measured.area = area;
    work_.measuring = true;
    cpu_ = CpuTimes(work_.settings);
    start_ = work_.now = clock_.now();
  }
  void end_measuring() {
    Measurement& measured = work_.measured;
    const CpuTimes after(work_.settings);
    measured.elapsed_seconds = std::chrono::duration<double>(clock_.now() - start_).count();
    measured.own_cpu_seconds = after.own - cpu_.own;
    if (after.target && cpu_.target) measured.target_cpu_seconds = *after.target - *cpu_.target;
    work_.measuring = false;
  }

  Work& work_;
  const base::Clock& clock_;
  Epoll epoll_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<std::uint8_t> scratch_;
  CpuTimes cpu_{Settings{}};
  base::Instant start_, last_answer_;
};

base::Result<Measurement, std::string> run_once(const Settings& settings, const base::Clock& clock,
                                                std::uint64_t run, bool filled) {
  std::optional<Work> work;
  std::optional<Run> all;
  for (unsigned i = 0; i < settings.sessions; ++i) {
    auto prepared =
        prepare(settings, {static_cast<std::uint32_t>(run >> 8), static_cast<std::uint16_t>(i)});
    if (!prepared) return fail(prepared.error());
    if (!work) {
      const auto area = area_of(settings, prepared->unit);
      if (!area) return fail(area.error());
      work.emplace(settings, *area, run, filled);
      all.emplace(*work, clock);
    }
    all->add(std::move(*prepared));
  }
  all->go();
  if (!work->trouble.empty()) {
    return fail(fmt::format("{}: {}", settings.url.shown(), work->trouble));
  }
  return work->measured;
}

// The same area, once from end to end, in larger pieces than the load's where that comes out even.
base::Result<Settings, std::string> filling(const Settings& settings) {
  constexpr std::uint64_t piece_max = 256u << 10;
  Settings out = settings;
  out.sessions = 1;
  auto first = prepare(settings, {});
  if (!first) return fail(first.error());
  const auto area = area_of(settings, first->unit);
  if (!area) return fail(area.error());
  const std::uint64_t bytes = area->slots * area->slot_bytes().value;
  while (out.block.value * 2 <= piece_max && bytes % (out.block.value * 2) == 0)
    out.block = base::ByteCount(out.block.value * 2);
  out.depth = 16;
  out.read_percent = 0;
  out.order = Order::sequential;
  out.operations = bytes / out.block.value;
  out.area = base::ByteCount(bytes);
  out.verify = false;
  out.force_unit_access = false;
  out.flush_every = 0;
  out.warm_up = base::Duration(0);
  return out;
}

}  // namespace

base::Result<Measurement, std::string> run(const Settings& settings, const base::Clock& clock,
                                           std::uint64_t run) {
  if (settings.target_process && !cpu_seconds_of(*settings.target_process)) {
    return fail(fmt::format("there is no process {}", *settings.target_process));
  }
  if (settings.fill) {
    const auto first = filling(settings);
    if (!first) return fail(first.error());
    const auto filled = run_once(*first, clock, run, false);
    if (!filled) return filled;
  }
  Settings rest = settings;
  rest.fill = false;  // only what is verified is stamped from here on
  return run_once(rest, clock, run, settings.fill);
}

}  // namespace load
