// The page: HTTP/1.1 for browsers of this machine, read only (web_rules.hpp). A thread of its own:
// who asks slowly, or for much, keeps nobody waiting but other browsers.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "target/admin/api.hpp"
#include "target/net/endpoint.hpp"

namespace admin {

class WebServer {
 public:
  // What GET of a resource of the API answers; called on the web thread, may wait.
  using Ask = std::function<ApiResponse(const std::string& target)>;
  // Serves until destroyed. The error is one line for a person.
  static base::Result<std::unique_ptr<WebServer>, std::string> open(const net::Endpoint& endpoint,
                                                                    Ask ask);
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  // With the port that was taken.
  const net::Endpoint& endpoint() const;

 private:
  explicit WebServer(Ask ask);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace admin
