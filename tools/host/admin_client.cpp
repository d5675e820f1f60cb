#include "tools/host/admin_client.hpp"

#include <chrono>
#include <utility>  // before Boost: its awaitable.hpp uses std::exchange unasked

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>
#include <sys/un.h>

namespace host {
namespace {

using base::fail;
namespace http = boost::beast::http;
using Protocol = boost::asio::local::stream_protocol;

constexpr std::size_t document_bytes_max = 512 << 20;  // of a trace; and every token there can be
constexpr std::chrono::seconds patience{5};
constexpr std::chrono::seconds patience_with_changes{3600};  // a clone that copies, say

// The daemon's own words, where its answer has some.
std::string reason_of(const http::response<http::string_body>& response) {
  const auto error = parse_admin_error(response.body());
  return error ? *error : fmt::format("it answers {}", response.result_int());
}

}  // namespace

base::Result<std::string, std::string> ask_admin(const std::string& socket_path,
                                                 const AdminRequest& what) {
  const auto problem = [&](const std::string& why) {
    return fail(fmt::format("admin socket {}: {}", socket_path, why));
  };
  if (socket_path.size() >= sizeof(sockaddr_un{}.sun_path)) return problem("the path is too long");
  boost::asio::io_context context;
  boost::beast::basic_stream<Protocol> stream(context);
  boost::system::error_code error;
  stream.socket().connect(Protocol::endpoint(socket_path), error);
  if (error) return problem(error.message());
  const http::verb verb = what.removes        ? http::verb::delete_
                          : what.body.empty() ? http::verb::get
                                              : http::verb::post;
  http::request<http::string_body> request(verb, what.resource, 11);
  request.set(http::field::host, "localhost");
  request.body() = what.body;
  request.prepare_payload();
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(document_bytes_max);
  // Only asynchronous operations have a time limit.
  const bool changes = what.removes || !what.body.empty();
  stream.expires_after(changes ? patience_with_changes : patience);
  http::async_write(stream, request, [&](boost::system::error_code e, std::size_t) { error = e; });
  context.run();
  if (error) return problem(error.message());
  context.restart();
  http::async_read(stream, buffer, parser,
                   [&](boost::system::error_code e, std::size_t) { error = e; });
  context.run();
  if (error) return problem(error.message());
  if (parser.get().result() != http::status::ok) {
    return fail(reason_of(parser.get()));
  }
  return std::move(parser.get().body());
}

AdminStats operator-(const AdminStats& after, const AdminStats& before) {
  return {after.cpu_seconds - before.cpu_seconds,
          after.bytes_cloned - before.bytes_cloned,
          after.bytes_copied_in_kernel - before.bytes_copied_in_kernel,
          after.bytes_copied - before.bytes_copied,
          after.bytes_zeroed - before.bytes_zeroed,
          after.store_bytes_read - before.store_bytes_read,
          after.store_bytes_written - before.store_bytes_written};
}

base::Result<AdminStats, std::string> read_admin_stats(const std::string& socket_path) {
  const auto document = ask_admin(socket_path, {"/v1/stats", {}});
  if (!document) return fail(document.error());
  auto stats = parse_admin_stats(*document);
  if (!stats) return fail(fmt::format("admin socket {}: {}", socket_path, stats.error()));
  return stats;
}

}  // namespace host
