// Rows become a JSON document, the daemon's counters are read from one. Besides this file only
// document_table.cpp knows the JSON library.

#include <nlohmann/json.hpp>

#include "tools/host/admin_client.hpp"
#include "tools/host/report.hpp"

namespace host {
namespace {

using Json = nlohmann::ordered_json;

Json value_of(const Row& row) {
  return std::visit(
      [](const auto& value) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::monostate>) {
          return nullptr;
        } else {
          return value;
        }
      },
      row.value);
}

template <class T>
T number(const Json& document, const char* object, const char* member) {
  const auto found = document.find(object);
  if (found == document.end() || !found->is_object()) return T{};
  const auto value = found->find(member);
  return value != found->end() && value->is_number() ? value->get<T>() : T{};
}

}  // namespace

std::string to_json(const Rows& rows) {
  Json document = Json::object();
  for (const Row& row : rows) {
    if (row.key.empty()) continue;
    Json* at = &document;
    std::size_t from = 0;
    for (std::size_t dot; (dot = row.key.find('.', from)) != std::string::npos; from = dot + 1) {
      at = &(*at)[row.key.substr(from, dot - from)];
    }
    (*at)[row.key.substr(from)] = value_of(row);
  }
  // Names from an array may hold anything; they must not make the document unreadable.
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::optional<std::string> parse_admin_error(std::string_view text) {
  const Json document = Json::parse(text, nullptr, false);
  if (!document.is_object()) return std::nullopt;
  const auto error = document.find("error");
  if (error == document.end() || !error->is_string()) return std::nullopt;
  return error->get<std::string>();
}

base::Result<std::vector<AdminSession>, std::string> parse_admin_sessions(std::string_view text) {
  const Json document = Json::parse(text, nullptr, false);
  const bool listed = document.is_object() && document.contains("sessions");
  if (!listed) return base::fail(std::string("the answer lists no sessions"));
  std::vector<AdminSession> out;
  for (const Json& each : document["sessions"]) {
    AdminSession session;
    session.tsih = each.value("tsih", session.tsih);
    session.portal_group = each.value("portal_group", session.portal_group);
    session.age_seconds = each.value("age_seconds", session.age_seconds);
    session.initiator = each.value("initiator", session.initiator);
    session.isid = each.value("isid", session.isid);
    session.target = each.value("target", session.target);
    session.peer = each.value("peer", session.peer);
    out.push_back(std::move(session));
  }
  return out;
}

base::Result<AdminStats, std::string> parse_admin_stats(std::string_view text) {
  const Json document = Json::parse(text, nullptr, false);
  if (!document.is_object()) return base::fail(std::string("the answer is not a JSON object"));
  AdminStats stats;
  stats.cpu_seconds = number<double>(document, "process", "cpu_seconds");
  stats.bytes_cloned = number<std::uint64_t>(document, "copies", "bytes_cloned");
  stats.bytes_copied_in_kernel =
      number<std::uint64_t>(document, "copies", "bytes_copied_in_kernel");
  stats.bytes_copied = number<std::uint64_t>(document, "copies", "bytes_copied");
  stats.bytes_zeroed = number<std::uint64_t>(document, "copies", "bytes_zeroed");
  stats.store_bytes_read = number<std::uint64_t>(document, "stores", "bytes_read");
  stats.store_bytes_written = number<std::uint64_t>(document, "stores", "bytes_written");
  return stats;
}

}  // namespace host
