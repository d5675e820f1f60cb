#include "target/admin/admin_server.hpp"

#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using local = asio::local::stream_protocol;

constexpr std::size_t request_bytes_max = 16 << 20;  // of a whole configuration, as JSON
constexpr auto idle_time = std::chrono::seconds(30);

using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;
Response answer(const Request& request, const Api& api) {
  const std::string_view method(request.method_string().data(), request.method_string().size());
  const std::string_view target(request.target().data(), request.target().size());
  const ApiResponse answer = api.answer(method, target, request.body());
  Response out;
  out.version(request.version());
  out.keep_alive(request.keep_alive());
  out.set(http::field::content_type, {answer.content_type.data(), answer.content_type.size()});
  out.result(answer.status);
  out.body() = answer.body;
  out.prepare_payload();
  return out;
}

// One client: request, answer, again.
class Session final : public std::enable_shared_from_this<Session> {
 public:
  Session(local::socket socket, const Api& api) : stream_(std::move(socket)), api_(api) {}

  void read() {
    parser_.emplace();
    parser_->body_limit(request_bytes_max);
    stream_.expires_after(idle_time);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](beast::error_code error, std::size_t) {
                       if (!error) self->write();
                     });
  }

 private:
  void write() {
    response_ = answer(parser_->get(), api_);
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code error, std::size_t) {
                        if (!error && self->response_.keep_alive()) self->read();
                      });
  }

  beast::basic_stream<local> stream_;
  const Api& api_;
  beast::flat_buffer buffer_{request_bytes_max};
  std::optional<http::request_parser<http::string_body>> parser_;
  Response response_;
};

}  // namespace

struct AdminServer::State {
  explicit State(Api with) : api(std::move(with)) {}

  const Api api;
  std::string path;
  asio::io_context context{1};
  local::acceptor acceptor{context};
  std::thread thread;

  void accept() {
    acceptor.async_accept([this](const beast::error_code& error, local::socket socket) {
      if (error) return;
      std::make_shared<Session>(std::move(socket), api)->read();
      accept();
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

void AdminServer::post(std::function<void()> work) {
  asio::post(state_->context, std::move(work));
}

AdminServer::~AdminServer() {
  state_->context.stop();
  if (state_->thread.joinable()) state_->thread.join();
  if (!state_->path.empty()) ::unlink(state_->path.c_str());
}

}  // namespace admin
