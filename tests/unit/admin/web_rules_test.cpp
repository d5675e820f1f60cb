// What may be asked of the page's port, and the history that its plot shows.
#include "target/admin/web_rules.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "target/admin/history.hpp"

namespace {

using nlohmann::json;

unsigned status(std::string_view method, std::string_view target,
                std::optional<std::string_view> host = "127.0.0.1:8080") {
  const auto refused = admin::web_refusal({method, target, host});
  return refused ? refused->status : 200;
}

bool is_host(std::string_view host) {
  return status("GET", "/", host) == 200;
}

admin::HistorySample sample(std::uint64_t n) {
  return {std::chrono::seconds(n), n, 2 * n, 3 * n, 4 * n};
}

std::vector<std::uint64_t> commands(const admin::History::Page& page) {
  std::vector<std::uint64_t> out;
  for (const auto& each : page.samples)
    out.push_back(each.commands);
  return out;
}

}  // namespace

TEST_CASE("the page is served on loopback addresses only") {
  using net::Endpoint;
  CHECK(admin::parse_web_endpoint("8080") == Endpoint{"127.0.0.1", 8080});
  CHECK(admin::parse_web_endpoint("0") == Endpoint{"127.0.0.1", 0});
  CHECK(admin::parse_web_endpoint("127.0.0.2:81") == Endpoint{"127.0.0.2", 81});
  CHECK(admin::parse_web_endpoint("[::1]:8080") == Endpoint{"::1", 8080});
  for (const char* text : {"", "x", "70000", "-1", "0.0.0.0:80", "[::]:80", "192.0.2.1:80",
                           "128.0.0.1:80", "localhost:80", "127.0.0.1", "[::1]",
                           "127.0.0.1:", "[::ffff:192.0.2.1]:80", "127.0.0.1:80,group=2", " 80"}) {
    INFO(text);
    CHECK_FALSE(admin::parse_web_endpoint(text));
  }
}

TEST_CASE("only this machine's own names may be asked") {
  for (const char* host : {"127.0.0.1", "127.0.0.1:8080", "127.1.2.3:1", "localhost", "LocalHost:9",
                           "[::1]", "[::1]:8080"}) {
    INFO(host);
    CHECK(is_host(host));
  }
  // The name of an attacker's page, made to resolve to 127.0.0.1; and what looks alike.
  for (const char* host : {"", ":8080", "evil.example", "evil.example:8080",
                           "127.0.0.1.evil.example", "localhost.evil", "192.0.2.1", "0.0.0.0",
                           "[::]", "[::1", "::1", "[::1]x", "127.0.0.1:80@evil", "127.0.0.1:x",
                           "127.0.0.1:99999", "user@127.0.0.1", "2130706433", "127.1"}) {
    INFO(host);
    CHECK(status("GET", "/", host) == 421);
    CHECK(status("GET", "/v1/tokens", host) == 421);
  }
  CHECK(status("GET", "/", std::nullopt) == 400);
}

TEST_CASE("nothing can be changed through the page's port") {
  for (const char* target :
       {"/", "/?x", "/v1/stats", "/v1/luns", "/v1/sessions", "/v1/tokens?limit=5",
        "/v1/copy-operations?running=1", "/v1/events?after=3", "/v1/history"}) {
    INFO(target);
    CHECK(status("GET", target) == 200);
    for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "get", ""})
      CHECK(status(method, target) == 405);
  }
  for (const char* target :
       {"", "//", "/index.html", "/v1", "/v1/", "/v1/configuration", "/v1/targets", "/v1/tokens/",
        "/v1/tokens/abcd", "/v1/sessions/1/logout", "/v1/copy-operations/1/abort", "/metrics",
        "/v1/stats/../configuration", "/v1//luns", "http://evil/v1/luns", "*"}) {
    INFO(target);
    CHECK(status("GET", target) == 404);
    CHECK(status("POST", target) == 404);
  }
}

TEST_CASE("the policy allows the page's own script and style, and requests to where it came from") {
  // The hash of "abc" (FIPS 180-2 B.1) in Base64; that of nothing.
  const std::string policy = admin::content_security_policy("<style>abc</style>x<script></script>");
  CHECK(policy.find("style-src 'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=';") !=
        policy.npos);
  CHECK(policy.find("script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';") !=
        policy.npos);
  CHECK(policy.starts_with("default-src 'none';"));
  CHECK(policy.find("frame-ancestors 'none'") != policy.npos);
  CHECK(policy.find("unsafe") == policy.npos);
  CHECK(admin::content_security_policy("").find("script-src 'none'") != std::string::npos);
}

TEST_CASE("the page is one file that refers to no other") {
  const std::string page(admin::web_page());
  CHECK(page.starts_with("<!doctype html>"));
  CHECK(page.ends_with("</html>\n"));
  const auto count = [&](std::string_view text) {
    std::size_t n = 0;
    for (std::size_t at = page.find(text); at != page.npos; at = page.find(text, at + 1))
      ++n;
    return n;
  };
  // The hashes of the policy are of the first of each.
  for (const char* once : {"<style>", "</style>", "<script>", "</script>"})
    CHECK(count(once) == 1);
  for (const char* never :
       {"@style@", "@script@", " src=", "@import", "url(", " style=\"", " onclick", "innerHTML",
        "outerHTML", "insertAdjacent", "document.write", "eval("}) {
    INFO(never);
    CHECK(count(never) == 0);
  }
  // Names of XML, which nobody asks for.
  CHECK(count("http") == count("http://www.w3.org/2000/svg"));
}

TEST_CASE("the history keeps the last samples by number") {
  admin::History history(3);
  CHECK(history.after(0).samples.empty());
  CHECK(history.after(7).last == 0);
  for (std::uint64_t n = 1; n <= 5; ++n)
    history.add(sample(n));
  using Numbers = std::vector<std::uint64_t>;
  CHECK(commands(history.after(0)) == Numbers{3, 4, 5});
  CHECK(commands(history.after(3)) == Numbers{4, 5});
  CHECK(commands(history.after(5)).empty());
  CHECK(commands(history.after(6)) == Numbers{3, 4, 5});  // of an earlier process
  CHECK(history.after(6).last == 5);
}

TEST_CASE("the history is told as JSON") {
  admin::History history(3);
  for (std::uint64_t n = 1; n <= 4; ++n)
    history.add(sample(n));
  const admin::Api api(admin::history_routes(history));
  const json page = json::parse(api.answer("GET", "/v1/history?after=3", "").body);
  CHECK(page == json({{"last", 4},
                      {"samples",
                       {{{"number", 4},
                         {"running_for_seconds", 4.0},
                         {"commands", 4},
                         {"bytes_read", 8},
                         {"bytes_written", 12},
                         {"bytes_offloaded", 16}}}}}));
  CHECK(json::parse(api.answer("GET", "/v1/history", "").body)["samples"][0]["number"] == 2);
  CHECK(api.answer("GET", "/v1/history?after=x", "").status == 400);
  CHECK(api.answer("GET", "/v1/history?before=1", "").status == 400);
}
