// The routes of tokens and copy operations on an array of three units in memory.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/digest.hpp"
#include "scsi/copy_cdbs.hpp"
#include "target/admin/copy_operation_routes.hpp"
#include "target/admin/token_routes.hpp"
#include "tests/unit/device/device_world.hpp"

namespace {

using namespace device::test;
using nlohmann::json;

struct Inspection : OneSession {
  Inspection()
      : targets{target}, inspected{copies, targets, [](std::uint64_t number) {
                                     return number == 1 ? std::optional<std::uint16_t>(42)
                                                        : std::nullopt;
                                   }} {
    auto routes = admin::token_routes(inspected);
    for (admin::Route& route : admin::copy_operation_routes(inspected))
      routes.push_back(std::move(route));
    api.emplace(std::move(routes));
  }

  scsi::RodTokenBytes populate(std::uint64_t volume_id, std::uint32_t blocks = 8,
                               std::uint32_t list_identifier = 5,
                               const std::string& initiator = "iqn.host:a") {
    const copymgr::OperationKey key{{1, initiator, target->name()}, volume_id, list_identifier};
    scsi::PopulateToken request;
    request.inactivity_timeout_seconds = 30;
    request.ranges = {{base::Lba(0), base::BlockCount(blocks)}};
    copies.populate_token(key, request, [](copymgr::CopyOutcome) {});
    return copies.report(key)->token.value();
  }
  json get(const std::string& path) { return json::parse(api->answer("GET", path, "").body); }
  unsigned status(const std::string& method, const std::string& path,
                  const std::string& body = "") {
    const auto answer = api->answer(method, path, body);
    const json document = json::parse(answer.body);
    CHECK(document.contains("error") == (answer.status != 200));
    return answer.status;
  }
  json look_up(const scsi::RodTokenBytes& token) {
    const json body{{"token", base::to_hex(token)}};
    return json::parse(api->answer("POST", "/v1/tokens/lookup", body.dump()).body);
  }

  std::vector<std::shared_ptr<device::TargetDevice>> targets;
  admin::Inspected inspected;
  std::optional<admin::Api> api;
};

}  // namespace

TEST_CASE("tokens are listed and shown by their hash, without their bytes") {
  Inspection array;
  const auto token = array.populate(10);
  array.populate(11, 16);
  array.clock.advance(4s);
  const json list = array.get("/v1/tokens");
  REQUIRE(list["tokens"].size() == 2);
  CHECK(list["total"] == 2);
  const json& first = list["tokens"][0];
  CHECK(first["hash"] == scsi::hash_of(token));
  CHECK(first["state"] == "live");
  CHECK(first["sense"].is_null());
  CHECK(first["rod_type"] == "point in time copy - default");
  CHECK(first["target"] == array.target->name());
  CHECK(first["lun"] == 0);
  CHECK(first["initiator"] == "iqn.host:a");
  CHECK(first["tsih"] == 42);
  CHECK(first["bytes"] == 8 * 512);
  CHECK(first["ranges"] == 1);
  CHECK(first["age_seconds"] == 4.0);
  CHECK(first["inactivity_left_seconds"] == 26.0);
  CHECK(first["inactivity_timeout_seconds"] == 30.0);
  CHECK(first["uses_running"] == 0);
  CHECK(first["side_bytes"] == 0);

  const std::string hash = scsi::hash_of(token);
  const json shown = array.get("/v1/tokens/" + hash);
  CHECK(shown["block_ranges"] == json::parse(R"([{"lba":0,"blocks":8}])"));
  CHECK(shown["rod_type_code"] == "00800000h");
  CHECK(array.get("/v1/tokens/" + hash.substr(0, 6))["hash"] == hash);
  CHECK(array.get("/v1/tokens/" + shown["identifier"].get<std::string>())["hash"] == hash);
  // No eight bytes of the secret part stand anywhere.
  const std::string secret = base::to_hex(base::ByteView(token).subspan(256));
  const std::string told = list.dump() + shown.dump();
  for (std::size_t at = 0; at + 16 <= secret.size(); at += 16)
    REQUIRE(told.find(secret.substr(at, 16)) == std::string::npos);
}

TEST_CASE("a list of tokens is filtered, sorted and limited") {
  Inspection array;
  for (std::uint32_t i = 0; i < 6; ++i)
    array.populate(10, 1 + i, i);
  array.populate(11, 100, 9);
  CHECK(array.get("/v1/tokens?lun=0")["total"] == 6);
  CHECK(array.get("/v1/tokens?lun=1")["total"] == 1);
  CHECK(array.get("/v1/tokens?lun=7")["total"] == 0);
  CHECK(array.get("/v1/tokens?target=iqn.other")["total"] == 0);
  CHECK(array.get("/v1/tokens?target=" + array.target->name() + "&lun=1")["total"] == 1);
  const json limited = array.get("/v1/tokens?limit=2&sort=bytes");
  CHECK(limited["total"] == 7);
  REQUIRE(limited["tokens"].size() == 2);
  CHECK(limited["tokens"][0]["bytes"] == 100 * 512);
  CHECK(limited["tokens"][1]["bytes"] == 6 * 512);
  CHECK(array.get("/v1/tokens?limit=0")["tokens"].size() == 7);
  for (const char* wrong : {"lun=x", "limit=-1", "sort=colour", "nothing=1", "lun="}) {
    INFO(wrong);
    CHECK(array.status("GET", std::string("/v1/tokens?") + wrong) == 400);
  }
}

TEST_CASE("tokens are ended by hand, once, and then remembered") {
  const std::map<std::string, std::pair<std::string, std::string>> ends{
      {"expire", {"expired", "05/23/07"}},
      {"revoke", {"revoked", "05/23/06"}},
      {"delete", {"deleted", "05/23/09"}}};
  for (const auto& [verb, told] : ends) {
    Inspection array;
    const auto token = array.populate(10);
    const std::string path = "/v1/tokens/" + scsi::hash_of(token);
    CHECK(array.look_up(token)["state"] == "live");
    CHECK(array.look_up(token)["seal"] == "genuine");
    CHECK(array.status("POST", path + "/" + verb, "{}") == 200);
    CHECK(array.get("/v1/tokens")["total"] == 0);
    CHECK(array.get("/v1/tokens?dead=1")["tokens"][0]["state"] == told.first);
    const json answer = array.look_up(token);
    CHECK(answer["state"] == told.first);
    CHECK(answer["sense"].get<std::string>().starts_with(told.second));
    CHECK(array.get(path)["state"] == told.first);
    CHECK(array.status("POST", path + "/" + verb, "{}") == 409);
    CHECK(array.status("POST", path + "/revoke", "{}") == 409);
  }
}

TEST_CASE("names of tokens that name none, or more than one") {
  Inspection array;
  std::string shared;  // digits that two hashes begin with
  std::map<std::string, int> seen;
  for (std::uint32_t i = 0; shared.empty() && i < 4000; ++i) {
    const std::string start = scsi::hash_of(array.populate(10, 1, i)).substr(0, 4);
    if (++seen[start] == 2) shared = start;
  }
  REQUIRE_FALSE(shared.empty());
  CHECK(array.status("GET", "/v1/tokens/" + shared) == 409);
  CHECK(array.status("POST", "/v1/tokens/" + shared + "/revoke", "{}") == 409);
  for (const char* none : {"abc", "xyzxyz", "0x", "0xzz", "-", "0x1ffffffffffffffff"}) {
    INFO(none);
    CHECK(array.status("GET", std::string("/v1/tokens/") + none) == 400);
  }
  CHECK(array.status("GET", "/v1/tokens/0x0") == 404);
  CHECK(array.status("POST", "/v1/tokens/0x0/delete", "{}") == 404);
}

TEST_CASE("looking up bytes that are no token of this array") {
  Inspection array;
  auto token = array.populate(10);
  token[400] ^= 1;
  CHECK(array.look_up(token)["state"] == "corrupt");
  CHECK(array.look_up(token)["seal"] == "broken");
  CHECK(array.look_up(scsi::RodTokenBytes{})["state"] == "invalid length");
  CHECK(array.look_up(scsi::block_device_zero_token())["state"] == "live");
  scsi::RodTokenFields fields;
  fields.rod_type = static_cast<scsi::RodType>(0x12345678);
  CHECK(array.look_up(scsi::encode(fields))["state"] == "type not supported");
  CHECK(array.look_up(scsi::encode(scsi::RodTokenFields{}))["state"] == "unknown");
  CHECK(array.look_up(scsi::encode(scsi::RodTokenFields{}))["seal"] == "foreign");
  const std::string half(1022, '0'), wrong(1024, 'g');
  for (const json& body : {json::object(), json{{"token", 5}}, json{{"token", half}},
                           json{{"token", wrong}}, json{{"token", ""}}}) {
    CHECK(array.status("POST", "/v1/tokens/lookup", body.dump()) == 400);
  }
}

TEST_CASE("copy operations are listed, shown, and not aborted when they have ended") {
  Inspection array;
  const auto token = array.populate(10, 8, 5);
  const copymgr::OperationKey key{{2, "iqn.host:b", array.target->name()}, 11, 6};
  array.copies.write_using_token(key, {false, {}, token, {{base::Lba(0), base::BlockCount(8)}}},
                                 [](copymgr::CopyOutcome) {});
  const json list = array.get("/v1/copy-operations");
  REQUIRE(list["copy_operations"].size() == 2);
  const json& write = list["copy_operations"][1];
  CHECK(write["command"] == "WRITE USING TOKEN");
  CHECK(write["state"] == "completed");
  CHECK(write["ground"] == "foreground");
  CHECK(write["list_identifier"] == "0x00000006");
  CHECK(write["initiator"] == "iqn.host:b");
  CHECK(write["tsih"].is_null());  // that session has ended
  CHECK(write["lun"] == 1);
  CHECK(write["bytes_done"] == 8 * 512);
  CHECK(write["bytes_asked"] == 8 * 512);
  CHECK(write["percent"] == 100.0);
  CHECK(write["uses"][0]["lun"] == 0);
  CHECK(write["moved"] == json::parse(R"({"bytes_cloned":0,"bytes_copied_in_kernel":0,
      "bytes_copied":4096,"bytes_zeroed":0,"bytes_pulled":0,
      "bytes_not_cloned_because":{"not_aligned":0,"not_files":4096,"other_file_system":0,
        "file_system_cannot":0,"failed":0},
      "bytes_not_copied_in_kernel_because":{"not_aligned":0,"not_files":4096,
        "other_file_system":0,"file_system_cannot":0,"failed":0}})"));
  CHECK(list["copy_operations"][0]["moved"]["bytes_copied"] == 0);

  const std::string path = "/v1/copy-operations/" + write["number"].dump();
  const json shown = array.get(path);
  CHECK(shown["copy_operation_status"] == "01h");
  CHECK(shown["status"] == "00h");
  CHECK(shown["blocks_done"] == 8);
  CHECK(shown["moved"] == write["moved"]);
  CHECK(array.status("POST", path + "/abort", "{}") == 409);
  CHECK(array.get("/v1/copy-operations?lun=1")["total"] == 1);
  CHECK(array.get("/v1/copy-operations?running=1")["total"] == 0);
  CHECK(array.get("/v1/copy-operations?limit=1")["copy_operations"][0]["number"] ==
        write["number"]);
  for (const char* none : {"99", "x", "-1", "1x"}) {
    INFO(none);
    CHECK(array.status("GET", std::string("/v1/copy-operations/") + none) == 404);
    CHECK(array.status("POST", fmt::format("/v1/copy-operations/{}/abort", none), "{}") == 404);
  }
  CHECK(array.status("GET", "/v1/copy-operations?lun=x") == 400);
  CHECK(array.status("GET", "/v1/copy-operations?dead=1") == 400);
}

TEST_CASE("a query is read as it stands") {
  const admin::Api api({{"GET", "/v1/x", [](const admin::ApiRequest& request) {
                           return admin::ApiResponse{200, json(request.query).dump()};
                         }}});
  const auto query = [&](const std::string& text) {
    return json::parse(api.answer("GET", "/v1/x" + text, "").body);
  };
  CHECK(query("") == json::object());
  CHECK(query("?") == json::object());
  CHECK(query("?a=1&b=%3A&c") == json{{"a", "1"}, {"b", ":"}, {"c", ""}});
  CHECK(query("?=1&&a=b=c") == json{{"a", "b=c"}});
}

TEST_CASE("an initiator's name of any bytes is told") {
  Inspection array;
  array.populate(10, 8, 5, "iqn.<b>\xff");
  CHECK(array.get("/v1/tokens")["tokens"][0]["initiator"] == "iqn.<b>\xef\xbf\xbd");
  CHECK(array.get("/v1/copy-operations")["copy_operations"][0]["initiator"] ==
        "iqn.<b>\xef\xbf\xbd");
}
