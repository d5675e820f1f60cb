// The admin API: HTTP/1.1 with JSON on a UNIX socket that only the daemon's user can open, and if
// asked for on a loopback port (admin_port.hpp).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "target/admin/api.hpp"
#include "target/net/endpoint.hpp"

namespace admin {

class AdminServer {
 public:
  // Serves `api` (its handlers run on the admin thread) until destroyed. The error is one line for
  // a person.
  static base::Result<std::unique_ptr<AdminServer>, std::string> open(
      const std::string& socket_path, Api api);
  ~AdminServer();
  // Serves whoever has the token there as well. Returns where, with the port that was taken; the
  // error is one line for a person. At most once.
  base::Result<net::Endpoint, std::string> listen(const net::Endpoint& loopback, std::string token);
  // Runs `work` on the admin thread; callable from any.
  void post(std::function<void()> work);
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

 private:
  explicit AdminServer(Api api);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace admin
