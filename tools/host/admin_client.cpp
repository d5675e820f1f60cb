#include "tools/host/admin_client.hpp"

#include <charconv>
#include <chrono>
#include <fstream>
#include <utility>  // before Boost: its awaitable.hpp uses std::exchange unasked

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
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
using boost::asio::ip::tcp;

constexpr std::string_view url_scheme = "http://";

constexpr std::size_t document_bytes_max = 512 << 20;  // of a trace; and every token there can be
constexpr std::chrono::seconds patience{5};
constexpr std::chrono::seconds patience_with_changes{3600};  // a clone that copies, say

// The daemon's own words, where its answer has some.
std::string reason_of(const http::response<http::string_body>& response) {
  const auto error = parse_admin_error(response.body());
  return error ? *error : fmt::format("it answers {}", response.result_int());
}

// Of "http://127.0.0.1:8260", with or without a slash behind it. Nullopt: it is none of a loopback.
std::optional<tcp::endpoint> endpoint_of(std::string_view url) {
  if (!url.starts_with(url_scheme)) return std::nullopt;
  url.remove_prefix(url_scheme.size());
  if (url.ends_with('/')) url.remove_suffix(1);
  const std::size_t colon = url.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string name(url.substr(0, colon));
  if (name == "localhost") name = "127.0.0.1";
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  std::uint16_t port = 0;
  const auto [end, wrong] = std::from_chars(url.data() + colon + 1, url.data() + url.size(), port);
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(name, error);
  if (wrong != std::errc() || end != url.data() + url.size() || error || !address.is_loopback())
    return std::nullopt;
  return tcp::endpoint(address, port);
}

http::request<http::string_body> request_of(const std::string& host_header,
                                            const AdminAddress& address, const AdminRequest& what) {
  const http::verb verb = what.removes        ? http::verb::delete_
                          : what.body.empty() ? http::verb::get
                                              : http::verb::post;
  http::request<http::string_body> out(verb, what.resource, 11);
  out.set(http::field::host, host_header);
  if (!address.token.empty()) out.set(http::field::authorization, "Bearer " + address.token);
  out.body() = what.body;
  out.prepare_payload();
  return out;
}

// One request on a connection of its own.
template <class Protocol, class Problem>
base::Result<std::string, std::string> converse(const typename Protocol::endpoint& endpoint,
                                                const std::string& host_header,
                                                const AdminAddress& address,
                                                const AdminRequest& what, const Problem& problem) {
  boost::asio::io_context context;
  boost::beast::basic_stream<Protocol> stream(context);
  boost::system::error_code error;
  stream.socket().connect(endpoint, error);
  if (error) return problem(error.message());
  const auto request = request_of(host_header, address, what);
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
  if (parser.get().result() != http::status::ok) return fail(reason_of(parser.get()));
  return std::move(parser.get().body());
}

}  // namespace

base::Result<std::string, std::string> ask_admin(const AdminAddress& address,
                                                 const AdminRequest& what) {
  std::string where = address.at;
  const auto problem = [&](const std::string& why) {
    return fail(fmt::format("{}: {}", where, why));
  };
  if (!address.at.starts_with(url_scheme)) {
    where = "admin socket " + address.at;
    if (address.at.size() >= sizeof(sockaddr_un{}.sun_path)) return problem("the path is too long");
    return converse<boost::asio::local::stream_protocol>(
        boost::asio::local::stream_protocol::endpoint(address.at), "localhost", address, what,
        problem);
  }
  const auto endpoint = endpoint_of(address.at);
  if (!endpoint) return problem("an admin port is http://127.0.0.1:PORT or http://[::1]:PORT");
  return converse<tcp>(*endpoint, address.at.substr(url_scheme.size()), address, what, problem);
}

base::Result<AdminAddress, std::string> admin_port_address(const std::string& url,
                                                           const std::string& token_file) {
  if (!endpoint_of(url)) {
    return fail(
        fmt::format("'{}' is no admin port: http://127.0.0.1:PORT or http://[::1]:PORT", url));
  }
  std::ifstream file(token_file);
  std::string token;
  if (!file || !std::getline(file, token)) {
    return fail(fmt::format("{}: cannot read the token of the admin port", token_file));
  }
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ')
    token.pop_back();
  return AdminAddress(url, token);
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

base::Result<AdminStats, std::string> read_admin_stats(const AdminAddress& address) {
  const auto document = ask_admin(address, {"/v1/stats", {}});
  if (!document) return fail(document.error());
  auto stats = parse_admin_stats(*document);
  if (!stats) return fail(fmt::format("{}: {}", address.at, stats.error()));
  return stats;
}

}  // namespace host
