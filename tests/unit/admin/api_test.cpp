// The routing of the admin API.
#include "target/admin/api.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace {

using admin::ApiRequest;
using admin::ApiResponse;

admin::Api sample() {
  return admin::Api({
      {"GET", "/v1/things",
       [](const ApiRequest&) {
         return ApiResponse{200, "[]"};
       }},
      {"POST", "/v1/things/{}/{}",
       [](const ApiRequest& request) {
         const nlohmann::json told{{"first", request.arguments.at(0)},
                                   {"second", request.arguments.at(1)},
                                   {"body", request.body}};
         return ApiResponse{201, told.dump()};
       }},
  });
}

}  // namespace

TEST_CASE("a route is found by method and path") {
  CHECK(sample().answer("GET", "/v1/things", "").body == "[]");
  CHECK(sample().answer("GET", "/v1/things?x=1", "").status == 200);
  const ApiResponse made = sample().answer("POST", "/v1/things/iqn.a%3Ab/7", R"({"n":3})");
  CHECK(made.status == 201);
  CHECK(nlohmann::json::parse(made.body) ==
        nlohmann::json{{"first", "iqn.a:b"}, {"second", "7"}, {"body", {{"n", 3}}}});
}

TEST_CASE("what is not there, and what cannot be done with it") {
  for (const char* path : {"/", "", "/v1", "/v1/thing", "/v1/things/1", "/v1/things/1/2/3"}) {
    INFO(path);
    const ApiResponse answer = sample().answer("GET", path, "");
    CHECK(answer.status == 404);
    CHECK(nlohmann::json::parse(answer.body).contains("error"));
  }
  CHECK(sample().answer("DELETE", "/v1/things", "").status == 405);
  CHECK(sample().answer("GET", "/v1/things/1/2", "").status == 405);
}

TEST_CASE("a body is a JSON object or nothing") {
  for (const char* body : {"x", "[]", "3", "{", R"("text")"}) {
    INFO(body);
    CHECK(sample().answer("POST", "/v1/things/1/2", body).status == 400);
  }
  CHECK(sample().answer("POST", "/v1/things/1/2", "").status == 201);
}

TEST_CASE("a broken percent encoding stays as it is") {
  for (const char* text : {"%", "%4", "%zz"}) {
    const auto answer = sample().answer("POST", std::string("/v1/things/a/") + text, "");
    CHECK(nlohmann::json::parse(answer.body)["second"] == text);
  }
}

TEST_CASE("what a handler throws is its answer, not the daemon's end") {
  const admin::Api api({{"GET", "/x", [](const ApiRequest&) -> ApiResponse {
                           throw std::runtime_error("a library's");
                         }}});
  const ApiResponse answer = api.answer("GET", "/x", "");
  CHECK(answer.status == 500);
  CHECK(nlohmann::json::parse(answer.body)["error"] == "GET /x failed: a library's");
}

TEST_CASE("a text that is no UTF-8 can be answered") {
  const std::string text = admin::json_text({{"a", "\xff<b>"}, {"b", "\xc3\xa9"}});
  CHECK(nlohmann::json::parse(text) == nlohmann::json{{"a", "\xef\xbf\xbd<b>"}, {"b", "\xc3\xa9"}});
}
