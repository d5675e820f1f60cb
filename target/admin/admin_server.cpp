#include "target/admin/admin_server.hpp"

#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.hpp"
#include "target/admin/admin_port.hpp"

namespace admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using local = asio::local::stream_protocol;
using asio::ip::tcp;

constexpr std::size_t request_bytes_max = 16 << 20;  // of a whole configuration, as JSON
constexpr std::size_t port_clients_max = 64;         // at once
constexpr auto idle_time = std::chrono::seconds(30);
constexpr auto retry_time = std::chrono::milliseconds(200);

using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

Response response_to(const Request& request, const ApiResponse& answer) {
  Response out;
  out.version(request.version());
  out.keep_alive(request.keep_alive());
  out.set(http::field::content_type, {answer.content_type.data(), answer.content_type.size()});
  out.result(answer.status);
  out.body() = answer.body;
  out.prepare_payload();
  return out;
}

Response answer(const Request& request, const Api& api) {
  const std::string_view method(request.method_string().data(), request.method_string().size());
  const std::string_view target(request.target().data(), request.target().size());
  return response_to(request, api.answer(method, target, request.body()));
}

std::optional<std::string_view> only(const Request& request, http::field name) {
  if (request.count(name) != 1) return std::nullopt;
  const auto value = request[name];
  return std::string_view(value.data(), value.size());
}

// Who uses a port has to show the token; who opened the socket has shown who it is.
struct Door {
  const Api& api;
  std::string token;        // empty: of the socket
  std::size_t clients = 0;  // there now

  std::optional<ApiResponse> refusal(const Request& request) const {
    if (token.empty()) return std::nullopt;
    return port_refusal(
        {only(request, http::field::host), only(request, http::field::authorization)}, token);
  }
};

// One client: request, answer, again.
template <class Protocol>
class Session final : public std::enable_shared_from_this<Session<Protocol>> {
 public:
  Session(typename Protocol::socket socket, Door& door) : stream_(std::move(socket)), door_(door) {
    ++door_.clients;
  }
  ~Session() { --door_.clients; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // A body is taken only of those who may be answered.
  void read() {
    parser_.emplace();
    parser_->body_limit(request_bytes_max);
    stream_.expires_after(idle_time);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = this->shared_from_this()](beast::error_code error, std::size_t) {
          if (!error) self->read_body();
        });
  }

 private:
  void read_body() {
    if (const auto refused = door_.refusal(parser_->get())) return refuse(*refused);
    http::async_read(stream_, buffer_, *parser_,
                     [self = this->shared_from_this()](beast::error_code error, std::size_t) {
                       if (!error) self->write(answer(self->parser_->get(), self->door_.api));
                     });
  }

  void refuse(const ApiResponse& why) {
    base::log::event(base::log::Level::warning, "admin.refused", {{"status", why.status}},
                     fmt::format("a request at the admin port is refused with {}", why.status));
    Response out = response_to(parser_->get(), why);
    out.keep_alive(false);
    if (why.status == 401) out.set(http::field::www_authenticate, "Bearer realm=\"copymgr\"");
    write(std::move(out));
  }

  void write(Response response) {
    response_ = std::move(response);
    http::async_write(stream_, response_,
                      [self = this->shared_from_this()](beast::error_code error, std::size_t) {
                        if (!error && self->response_.keep_alive()) self->read();
                      });
  }

  beast::basic_stream<Protocol> stream_;
  Door& door_;
  beast::flat_buffer buffer_{request_bytes_max};
  std::optional<http::request_parser<http::string_body>> parser_;
  Response response_;
};

}  // namespace

struct AdminServer::State {
  explicit State(Api with) : api(std::move(with)) {}

  const Api api;
  std::string path;
  Door socket_door{api, "", 0}, port_door{api, "", 0};
  asio::io_context context{1};
  local::acceptor acceptor{context};
  tcp::acceptor port_acceptor{context};
  asio::steady_timer later{context};
  std::thread thread;

  void accept() {
    acceptor.async_accept([this](const beast::error_code& error, local::socket socket) {
      if (error) return;
      std::make_shared<Session<local>>(std::move(socket), socket_door)->read();
      accept();
    });
  }

  void accept_at_port() {
    port_acceptor.async_accept([this](const beast::error_code& error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error && port_door.clients < port_clients_max)
        std::make_shared<Session<tcp>>(std::move(socket), port_door)->read();
      if (!error) return accept_at_port();
      // No descriptors, say: not at once again.
      later.expires_after(retry_time);
      later.async_wait([this](const beast::error_code& stopped) {
        if (!stopped) accept_at_port();
      });
    });
  }
};

AdminServer::AdminServer(Api api) : state_(std::make_unique<State>(std::move(api))) {}

base::Result<std::unique_ptr<AdminServer>, std::string> AdminServer::open(
    const std::string& socket_path, Api api) {
  std::unique_ptr<AdminServer> server(new AdminServer(std::move(api)));
  State& state = *server->state_;
  if (socket_path.size() >= sizeof(sockaddr_un::sun_path)) {
    return base::fail(
        fmt::format("{} is too long for a UNIX socket: use a shorter --state-dir", socket_path));
  }
  // The state directory is locked, so a socket found here belongs to nobody.
  ::unlink(socket_path.c_str());
  beast::error_code error;
  state.acceptor.open(local(), error);
  const mode_t old_mask = ::umask(0177);
  if (!error) state.acceptor.bind(local::endpoint(socket_path), error);
  ::umask(old_mask);
  if (!error) state.acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return base::fail(
        fmt::format("cannot open the admin socket {}: {}", socket_path, error.message()));
  }
  state.path = socket_path;
  state.accept();
  state.thread = std::thread([&state] { state.context.run(); });
  return server;
}

base::Result<net::Endpoint, std::string> AdminServer::listen(const net::Endpoint& loopback,
                                                             std::string token) {
  State& state = *state_;
  beast::error_code error;
  const tcp::endpoint at(asio::ip::make_address(loopback.address, error), loopback.port);
  tcp::acceptor& acceptor = state.port_acceptor;
  if (!error) acceptor.open(at.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(at, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return base::fail(fmt::format("cannot serve the admin API on {}: {}", net::to_text(loopback),
                                  error.message()));
  }
  const net::Endpoint bound{loopback.address, acceptor.local_endpoint().port()};
  asio::post(state.context, [&state, token = std::move(token)]() mutable {
    state.port_door.token = std::move(token);
    state.accept_at_port();
  });
  return bound;
}

void AdminServer::post(std::function<void()> work) {
  asio::post(state_->context, std::move(work));
}

AdminServer::~AdminServer() {
  state_->context.stop();
  if (state_->thread.joinable()) state_->thread.join();
  if (!state_->path.empty()) ::unlink(state_->path.c_str());
}

}  // namespace admin
