// The admin API: HTTP/1.1 with JSON on a UNIX socket that only the daemon's user can open.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"

namespace admin {

class AdminServer {
 public:
  // Serves GET /v1/stats with what `statistics` returns (called on the admin thread) until
  // destroyed. The error is one line for a person.
  static base::Result<std::unique_ptr<AdminServer>, std::string> open(
      const std::string& socket_path, std::function<std::string()> statistics);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

 private:
  AdminServer();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace admin
