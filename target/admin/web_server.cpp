#include "target/admin/web_server.hpp"

#include <exception>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "target/admin/web_rules.hpp"

namespace admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr std::size_t connections_max = 64;
constexpr std::size_t header_bytes_max = 16 << 10, body_bytes_max = 4096;
constexpr auto idle_time = std::chrono::seconds(30);
constexpr auto retry_time = std::chrono::milliseconds(200);

using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

beast::string_view to_beast(std::string_view text) {
  return {text.data(), text.size()};
}

// What all sessions share; outlives them.
struct Service {
  WebServer::Ask ask;
  const std::string policy = content_security_policy(web_page());
  std::size_t connections = 0;
};

ApiResponse answer_to(const Request& request, const Service& service) {
  const std::string target(request.target());
  const auto method = request.method_string();
  std::optional<std::string_view> host;
  if (request.count(http::field::host) == 1) {
    const auto value = request[http::field::host];
    host.emplace(value.data(), value.size());
  }
  if (auto refused = web_refusal({{method.data(), method.size()}, target, host})) {
    return std::move(*refused);
  }
  if (is_the_page(target)) return {200, std::string(web_page()), "text/html; charset=utf-8"};
  try {
    return service.ask(target);
  } catch (const std::exception& error) {
    return api_error(500, error.what());
  }
}

Response response_to(const Request& request, const Service& service) {
  ApiResponse answer = answer_to(request, service);
  Response out;
  out.version(request.version());
  out.keep_alive(request.keep_alive());
  out.result(answer.status);
  out.set(http::field::content_type, to_beast(answer.content_type));
  out.set(http::field::cache_control, "no-store");
  out.set("Content-Security-Policy", service.policy);
  out.set("X-Content-Type-Options", "nosniff");
  out.set("X-Frame-Options", "DENY");
  out.set("Referrer-Policy", "no-referrer");
  out.set("Cross-Origin-Resource-Policy", "same-origin");
  out.set("Cross-Origin-Opener-Policy", "same-origin");
  if (answer.status == 405) out.set(http::field::allow, "GET");
  if (request.method() != http::verb::head) out.body() = std::move(answer.body);
  out.prepare_payload();
  return out;
}

// One browser's connection: request, answer, again.
class WebSession final : public std::enable_shared_from_this<WebSession> {
 public:
  WebSession(tcp::socket socket, Service& service) : stream_(std::move(socket)), service_(service) {
    ++service_.connections;
  }
  ~WebSession() { --service_.connections; }
  WebSession(const WebSession&) = delete;
  WebSession& operator=(const WebSession&) = delete;

  void read() {
    parser_.emplace();
    parser_->header_limit(header_bytes_max);
    parser_->body_limit(body_bytes_max);
    stream_.expires_after(idle_time);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](beast::error_code error, std::size_t) {
                       if (!error) self->write();
                     });
  }

 private:
  void write() {
    response_ = response_to(parser_->get(), service_);
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code error, std::size_t) {
                        if (!error && self->response_.keep_alive()) self->read();
                      });
  }

  beast::tcp_stream stream_;
  Service& service_;
  beast::flat_buffer buffer_{header_bytes_max + body_bytes_max};
  std::optional<http::request_parser<http::string_body>> parser_;
  Response response_;
};

}  // namespace

struct WebServer::State {
  explicit State(Ask ask) : service{std::move(ask)} {}

  Service service;
  net::Endpoint endpoint;
  asio::io_context context{1};
  tcp::acceptor acceptor{context};
  asio::steady_timer later{context};
  std::thread thread;

  void accept() {
    acceptor.async_accept([this](const beast::error_code& error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error && service.connections < connections_max) {
        std::make_shared<WebSession>(std::move(socket), service)->read();
      }
      if (!error) return accept();
      // No descriptors, say: not at once again.
      later.expires_after(retry_time);
      later.async_wait([this](const beast::error_code& stopped) {
        if (!stopped) accept();
      });
    });
  }
};

WebServer::WebServer(Ask ask) : state_(std::make_unique<State>(std::move(ask))) {}

base::Result<std::unique_ptr<WebServer>, std::string> WebServer::open(const net::Endpoint& endpoint,
                                                                      Ask ask) {
  std::unique_ptr<WebServer> server(new WebServer(std::move(ask)));
  State& state = *server->state_;
  beast::error_code error;
  const tcp::endpoint at(asio::ip::make_address(endpoint.address, error), endpoint.port);
  if (!error) state.acceptor.open(at.protocol(), error);
  if (!error) state.acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) state.acceptor.bind(at, error);
  if (!error) state.acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return base::fail(
        fmt::format("cannot serve the page on {}: {}", net::to_text(endpoint), error.message()));
  }
  state.endpoint = {endpoint.address, state.acceptor.local_endpoint().port()};
  state.accept();
  state.thread = std::thread([&state] { state.context.run(); });
  return server;
}

const net::Endpoint& WebServer::endpoint() const {
  return state_->endpoint;
}

WebServer::~WebServer() {
  state_->context.stop();
  if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace admin
