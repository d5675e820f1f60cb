#include "base/log.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "base/clock.hpp"
#include "base/json_text.hpp"
#include "base/line_budget.hpp"

namespace base::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = spdlog::stderr_color_mt("copymgr");
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *instance;
}

std::atomic<Format> format{Format::text};

struct Observation {
  std::mutex mutex;
  Observer* observer = nullptr;
  std::atomic<bool> is_there{false};
};
Observation& observation() {
  static Observation instance;
  return instance;
}

// By the events' names, of which there are as many as the sources have.
struct Budgets {
  SystemClock clock;
  std::mutex mutex;
  std::map<std::string, LineBudget, std::less<>> by_name;
};

// Nullopt: this line is kept back.
std::optional<std::uint64_t> take_line(std::string_view name) {
  static Budgets budgets;
  const std::scoped_lock lock(budgets.mutex);
  const Instant now = budgets.clock.now();
  auto at = budgets.by_name.find(name);
  if (at == budgets.by_name.end()) {
    const LineBudget fresh(event_burst_lines, std::chrono::seconds(1), now);
    at = budgets.by_name.emplace(name, fresh).first;
  }
  return at->second.take(now);
}

void print(const Record& record) {
  const std::string line =
      format.load() == Format::json ? to_json_members(record) + "}" : to_text(record);
  logger().log(to_spdlog(record.level), spdlog::string_view_t(line.data(), line.size()));
}

void show(const Record& record) {
  if (!observed()) return;
  Observation& now = observation();
  const std::scoped_lock lock(now.mutex);
  if (now.observer != nullptr) now.observer->saw(record);
}

bool has(const Record& record, std::string_view name) {
  return std::any_of(record.fields.begin(), record.fields.end(),
                     [name](const Field& field) { return field.name == name; });
}

void add_member(std::string& out, std::string_view name, const std::string& value) {
  out += fmt::format("{}{}:{}", out.empty() ? "" : ",", json_quoted(name), value);
}

std::string json_of(const Field& field) {
  if (const auto* number = std::get_if<std::uint64_t>(&field.value))
    return fmt::format("{}", *number);
  return json_quoted(std::get<std::string_view>(field.value));
}

}  // namespace

void set_level(Level level) {
  logger().set_level(to_spdlog(level));
}

void set_format(Format wanted) {
  format = wanted;
  // The object is closed by print().
  if (wanted == Format::json)
    logger().set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v)");
}

bool enabled(Level level) {
  return logger().should_log(to_spdlog(level));
}

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "info";
}

std::string to_text(const Record& record) {
  std::string out(record.text);
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  const Context& context = record.context;
  std::string behind(context.peer);
  const auto add = [&behind](const std::string& more) {
    behind += (behind.empty() ? "" : ", ") + more;
  };
  if (context.session != 0) add(fmt::format("session {}", context.session));
  if (context.task_tag) add(fmt::format("task {:#010x}", *context.task_tag));
  return behind.empty() ? out : fmt::format("{} ({})", out, behind);
}

std::string to_json_members(const Record& record) {
  std::string out;
  if (!record.event.empty()) add_member(out, "event", json_quoted(record.event));
  add_member(out, "message", json_quoted(record.text));
  for (const Field& field : record.fields)
    add_member(out, field.name, json_of(field));
  const Context& context = record.context;
  if (!context.peer.empty() && !has(record, "peer"))
    add_member(out, "peer", json_quoted(context.peer));
  if (context.session != 0 && !has(record, "session"))
    add_member(out, "session", fmt::format("{}", context.session));
  if (context.task_tag && !has(record, "task"))
    add_member(out, "task", fmt::format("\"{:#010x}\"", *context.task_tag));
  return out;
}

void set_observer(Observer* observer) {
  Observation& now = observation();
  const std::scoped_lock lock(now.mutex);
  now.observer = observer;
  now.is_there = observer != nullptr;
}

bool observed() {
  return observation().is_there.load(std::memory_order_relaxed);
}

void event(Level level, std::string_view name, std::initializer_list<Field> fields,
           std::string_view text) {
  Record record{level, name, text, {fields.begin(), fields.size()}, Scope::current()};
  show(record);
  if (!enabled(level)) return;
  const auto kept_back = take_line(name);
  if (!kept_back) return;
  if (*kept_back == 0) return print(record);
  const std::string telling =
      fmt::format("{} ({} more before it were not logged)", text, *kept_back);
  record.text = telling;
  print(record);
}

void write(Level level, std::string_view line) {
  const Record record{level, {}, line, {}, Scope::current()};
  if (level != Level::debug) show(record);
  if (enabled(level)) print(record);
}

}  // namespace base::log
