// The log: one line an event, to standard error, as text or as JSON. Only this room knows spdlog.
//
// What an administrator may want to follow has a name and fields (event()); all other lines are
// text alone. An observer sees both, whatever the level of the log is.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include <fmt/format.h>

namespace base::log {

enum class Level { debug, info, warning, error };
enum class Format { text, json };

void set_level(Level level);
// Before the first line.
void set_format(Format format);
bool enabled(Level level);
std::string_view name_of(Level level);

struct Field {
  std::string_view name;
  std::variant<std::uint64_t, std::string_view> value;

  Field(std::string_view of, std::unsigned_integral auto number)
      : name(of), value(std::uint64_t{number}) {}
  Field(std::string_view of, std::string_view text) : name(of), value(text) {}
};

// On whose behalf this thread works.
struct Context {
  std::uint16_t session = 0;                   // its TSIH; 0: none
  std::optional<std::uint32_t> task_tag = {};  // the initiator's
  std::string_view peer = {};                  // "192.0.2.7:50123"; it outlives the scope
};
// Sets the context of this thread for its own life. Two stores: also for every command.
class Scope {
 public:
  explicit Scope(const Context& context) : before_(current()) { current() = context; }
  ~Scope() { current() = before_; }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  static Context& current() {
    constinit static thread_local Context context;
    return context;
  }

 private:
  const Context before_;
};

// Valid during the call that gets it.
struct Record {
  Level level = Level::info;
  std::string_view event;  // "session.opened"; empty: text alone
  std::string_view text;
  std::span<const Field> fields;
  Context context;
};
// One line without a line feed: the text, and the context behind it where there is one. What hosts
// may choose has no control characters in it.
std::string to_text(const Record& record);
// The members of a JSON object without its braces: "event", "message", the fields, "peer",
// "session" and "task" (those three from the context, unless a field has that name). Bytes that are
// no UTF-8 become U+FFFD.
std::string to_json_members(const Record& record);

// Sees every event and every line of level info and above. Called from any thread, under a lock
// that the log needs: it neither logs nor sleeps.
class Observer {
 public:
  virtual void saw(const Record& record) = 0;

 protected:
  ~Observer() = default;
};
// Null: none. The one before is not called any more when this returns.
void set_observer(Observer* observer);
bool observed();

// Of what a peer can cause over and over, no more than this many lines of one name at once, then
// one each second.
inline constexpr std::uint32_t event_burst_lines = 50;
void event(Level level, std::string_view name, std::initializer_list<Field> fields,
           std::string_view text);
// Whether an event of this level would be seen by anybody: for those whose text costs something.
inline bool wanted(Level level) {
  return enabled(level) || observed();
}

void write(Level level, std::string_view line);

template <class... Args>
void debug(fmt::format_string<Args...> text, Args&&... args) {
  if (enabled(Level::debug)) {
    write(Level::debug, fmt::format(text, std::forward<Args>(args)...));
  }
}
template <class... Args>
void info(fmt::format_string<Args...> text, Args&&... args) {
  if (wanted(Level::info)) write(Level::info, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::warning, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::error, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace base::log
