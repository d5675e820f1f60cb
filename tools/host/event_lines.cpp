#include "tools/host/event_lines.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/host/terminal_text.hpp"

namespace host {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& event, const char* member) {
  const auto at = event.find(member);
  return at == event.end() || !at->is_string() ? std::string()
                                               : terminal_text(at->get<std::string>());
}

std::string line_of(const Json& event) {
  const std::string name = text_of(event, "event");
  return fmt::format("{}  {:<7}  {:<22}  {}\n", text_of(event, "time"), text_of(event, "level"),
                     name.empty() ? "-" : name, text_of(event, "message"));
}

std::uint64_t number(const Json& object, const char* member) {
  const auto at = object.find(member);
  return at == object.end() || !at->is_number_unsigned() ? 0 : at->get<std::uint64_t>();
}

}  // namespace

base::Result<EventLines, std::string> event_lines(std::string_view page, bool json) {
  const Json document = Json::parse(page, nullptr, false);
  const auto events = document.is_object() ? document.find("events") : document.end();
  if (!document.is_object() || events == document.end() || !events->is_array())
    return base::fail(std::string("the daemon's answer lists no events"));
  EventLines out;
  out.last = number(document, "last");
  const std::uint64_t lost = number(document, "lost");
  if (lost != 0 && !json)
    out.lines += fmt::format("({} events before these are not kept any more)\n", lost);
  for (const Json& event : *events) {
    if (!event.is_object()) return base::fail(std::string("an event is not a JSON object"));
    out.lines += json ? event.dump() + "\n" : line_of(event);
    out.last_told = number(event, "number");
    ++out.events;
  }
  return out;
}

}  // namespace host
