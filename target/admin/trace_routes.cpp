#include "target/admin/trace_routes.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "store/open.hpp"
#include "target/admin/change_answer.hpp"
#include "target/admin/trace_capture.hpp"

namespace admin {
namespace {

using nlohmann::json;

const base::SystemWallClock wall_clock;

constexpr std::string_view capture_content_type = "application/x-pcapng";

ApiResponse show(net::Tracer& tracer) {
  const auto status = tracer.status();
  const net::TraceStatus told = status.value_or(net::TraceStatus{});
  const json out{{"recording", status.has_value()},
                 {"memory_bytes", told.settings.memory_bytes},
                 {"data_bytes", told.settings.data_bytes},
                 {"pdus", told.pdus},
                 {"lost", told.lost}};
  return {200, out.dump()};
}

// The error is one line for a person.
base::Result<net::TraceSettings, std::string> settings_in(const json& body) {
  net::TraceSettings out;
  if (const auto fault = unknown_member(body, {"memory", "data_bytes"})) return base::fail(*fault);
  const json memory = body.value("memory", json("16M"));
  const auto size = memory.is_string() ? store::parse_size(memory.get<std::string>())
                                       : base::Result<base::ByteCount, std::string>();
  if (!size || size->value < net::trace_memory_bytes_min ||
      size->value > net::trace_memory_bytes_max) {
    return base::fail(fmt::format("memory is a size from {}M to {}M, as text",
                                  net::trace_memory_bytes_min >> 20,
                                  net::trace_memory_bytes_max >> 20));
  }
  out.memory_bytes = size->value;
  const json data = body.value("data_bytes", json(out.data_bytes));
  if (!data.is_number_unsigned() || data.get<std::size_t>() > net::trace_data_bytes_max) {
    return base::fail(
        fmt::format("data_bytes is a number from 0 to {}", net::trace_data_bytes_max));
  }
  out.data_bytes = data.get<std::size_t>();
  return out;
}

ApiResponse start(net::Tracer& tracer, const json& body) {
  const auto settings = settings_in(body);
  if (!settings) return api_error(400, settings.error());
  if (!tracer.start(*settings, wall_clock)) return api_error(409, "the trace is on already");
  return show(tracer);
}

ApiResponse stop(net::Tracer& tracer) {
  const auto pdus = tracer.stop();
  if (!pdus) return api_error(409, "the trace is off");
  return {200, capture_of(*pdus), capture_content_type};
}

}  // namespace

std::vector<Route> trace_routes(const ArrayParts& array) {
  net::Tracer& tracer = array.server.tracer();
  return {
      {"GET", "/v1/trace", [&tracer](const ApiRequest&) { return show(tracer); }},
      {"POST", "/v1/trace/start",
       [&tracer](const ApiRequest& request) { return start(tracer, request.body); }},
      {"POST", "/v1/trace/stop", [&tracer](const ApiRequest&) { return stop(tracer); }},
  };
}

}  // namespace admin
