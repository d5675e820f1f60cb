// The admin API as pure routing: a request in, a response out. What a route does is its handler's.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace admin {

struct ApiRequest {
  std::vector<std::string> arguments;             // what stood where the pattern has {}
  const nlohmann::json& body;                     // an object; empty when none came
  std::map<std::string, std::string> query = {};  // what stood behind the '?', decoded
};

struct ApiResponse {
  unsigned status = 200;
  std::string body;
  std::string_view content_type = "application/json";
};

// As text. Names that a host chose may hold bytes that are no UTF-8: they become U+FFFD.
std::string json_text(const nlohmann::json& document);

// {"error": text}
ApiResponse api_error(unsigned status, const std::string& text);

struct Route {
  std::string_view method;   // "GET"
  std::string_view pattern;  // "/v1/sessions/{}/logout"
  std::function<ApiResponse(const ApiRequest&)> handler;
};

class Api {
 public:
  explicit Api(std::vector<Route> routes) : routes_(std::move(routes)) {}
  // `target` is the path as it stands in the request line, percent-encoded; `body` is JSON or
  // empty. 404 for no such resource, 405 for a method that it does not have, 400 for a body that is
  // no JSON object, 500 when the handler throws.
  ApiResponse answer(std::string_view method, std::string_view target, std::string_view body) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace admin
