// The ring of events and its route.
#include <nlohmann/json.hpp>

#include "base/digest.hpp"
#include "target/admin/event_routes.hpp"
#include "tests/unit/device/device_world.hpp"

namespace {

using namespace device::test;
using admin::EventRing;
using device::TaskManagementFunction;
using device::TaskManagementResponse;
using nlohmann::json;
namespace log = base::log;

class FixedWallClock final : public base::WallClock {
 public:
  base::Duration since_1970() const override { return now; }
  base::Duration now = 1'700'000'000s + 42ms;  // 2023-11-14T22:13:20Z
};

struct Observed {
  Observed() { log::set_level(log::Level::error); }
  ~Observed() { log::set_level(log::Level::info); }

  FixedWallClock wall;
  EventRing ring{wall, 4};  // so few that tests see them go
  admin::Observation observation{ring};
};

struct ObservedArray : Observed, OneSession {
  ObservedArray()
      : targets{target}, api(admin::event_routes(ring, {copies, targets, [](std::uint64_t) {
                                                          return std::optional<std::uint16_t>();
                                                        }})) {}
  json get(const std::string& query) {
    return json::parse(api.answer("GET", "/v1/events" + query, "").body);
  }
  // The last event of that name.
  json last(const std::string& name) {
    json found;
    const json page = get("");
    for (const json& event : page["events"]) {
      if (event["event"] == name) found = event;
    }
    return found;
  }

  Owner owner;
  std::vector<std::shared_ptr<device::TargetDevice>> targets;
  admin::Api api;
};

std::vector<std::uint64_t> numbers(const EventRing::Page& page) {
  std::vector<std::uint64_t> out;
  for (const admin::Event& event : page.events)
    out.push_back(event.number);
  return out;
}

}  // namespace

TEST_CASE("the ring keeps the last events, and tells how many are lost") {
  Observed observed;
  const EventRing& ring = observed.ring;
  CHECK(ring.after(0, 10).events.empty());
  CHECK(ring.after(0, 10).last == 0);
  using Numbers = std::vector<std::uint64_t>;
  for (int i = 1; i <= 3; ++i)
    log::info("{}", i);
  CHECK(numbers(ring.after(0, 10)) == Numbers{1, 2, 3});
  CHECK(numbers(ring.after(2, 10)) == Numbers{3});
  CHECK(numbers(ring.after(0, 2)) == Numbers{1, 2});
  CHECK(ring.after(0, 2).last == 3);
  for (int i = 4; i <= 7; ++i)
    log::info("{}", i);
  CHECK(numbers(ring.after(0, 10)) == Numbers{4, 5, 6, 7});
  CHECK(ring.after(0, 10).lost == 3);
  CHECK(ring.after(2, 10).lost == 1);
  CHECK(ring.after(3, 10).lost == 0);
  CHECK(numbers(ring.after(5, 10)) == Numbers{6, 7});
  CHECK(ring.after(7, 10).events.empty());
  CHECK(ring.after(99, 10).events.empty());  // of an earlier process
  CHECK(ring.after(99, 10).last == 7);
  CHECK(ring.after(~std::uint64_t{0}, 10).events.empty());
}

TEST_CASE("an event keeps what its record only lent") {
  Observed observed;
  {
    const std::string name = "iqn.host:a long name that lives on the heap", text = "a text as well";
    const log::Scope scope({3, 9, "peer"});
    log::event(log::Level::debug, "a.b", {{"initiator", name}, {"n", 7u}}, text);
  }
  const auto page = observed.ring.after(0, 1);
  REQUIRE(page.events.size() == 1);
  const admin::Event& event = page.events[0];
  CHECK(event.name == "a.b");
  CHECK(event.text == "a text as well");
  CHECK(event.session == 3);
  CHECK(event.task_tag == 9);
  CHECK(std::get<std::string>(event.fields.at(0).second).starts_with("iqn.host:a long"));
  CHECK(std::get<std::uint64_t>(event.fields.at(1).second) == 7);
}

TEST_CASE("events are asked for by number") {
  ObservedArray array;
  const std::uint64_t before = array.get("")["last"];
  log::info("one");
  log::event(log::Level::warning, "b", {{"unit", std::uint64_t{11}}, {"odd", "\xff"}}, "two");
  const json page = array.get("?after=" + std::to_string(before));
  REQUIRE(page["events"].size() == 2);
  CHECK(page["last"] == before + 2);
  CHECK(page["lost"] == 0);
  CHECK(page["events"][0] == json({{"number", before + 1},
                                   {"time", "2023-11-14T22:13:20.042Z"},
                                   {"level", "info"},
                                   {"event", nullptr},
                                   {"message", "one"}}));
  CHECK(page["events"][1]["level"] == "warning");
  CHECK(page["events"][1]["lun"] == 1);  // unit 11 of the world
  CHECK(page["events"][1]["target"] == array.target->name());
  CHECK_FALSE(page["events"][1].contains("unit"));
  CHECK(page["events"][1]["odd"] == "\xef\xbf\xbd");
  CHECK(array.get("?after=" + std::to_string(before) + "&limit=1")["events"].size() == 1);
  for (const char* const wrong : {"?after=x", "?limit=-1", "?since=1"})
    CHECK(array.api.answer("GET", std::string("/v1/events") + wrong, "").status == 400);
}

TEST_CASE("a token's life and a copy's end are events, without the token's bytes") {
  ObservedArray array;
  const copymgr::OperationKey key{{1, "iqn.host:a", array.target->name()}, 10, 5};
  scsi::PopulateToken request;
  request.inactivity_timeout_seconds = 30;
  request.ranges = {{base::Lba(0), base::BlockCount(8)}};
  array.copies.populate_token(key, request, [](copymgr::CopyOutcome) {});
  const auto token = array.copies.report(key)->token.value();
  const json created = array.last("token.created");
  CHECK(created["token"] == scsi::hash_of(token));
  const json copied = array.last("copy.ended");
  CHECK(copied["command"] == "POPULATE TOKEN");
  CHECK(copied["state"] == "completed");
  CHECK(copied["initiator"] == "iqn.host:a");
  CHECK(copied["list_identifier"] == "0x00000005");
  CHECK(copied["lun"] == 0);
  CHECK(copied["bytes_copied"] == 0);
  CHECK(copied["not_cloned_because"] == "");
  const copymgr::OperationKey use{{1, "iqn.host:a", array.target->name()}, 11, 6};
  array.copies.write_using_token(use, {false, {}, token, {{base::Lba(0), base::BlockCount(8)}}},
                                 [](copymgr::CopyOutcome) {});
  const json used = array.last("copy.ended");
  CHECK(used["command"] == "WRITE USING TOKEN");
  CHECK(used["bytes_asked"] == 4096);
  CHECK(used["bytes_copied"] == 4096);
  CHECK(used["bytes_cloned"] == 0);
  CHECK(used["bytes_copied_in_kernel"] == 0);
  CHECK(used["bytes_zeroed"] == 0);
  CHECK(used["bytes_pulled"] == 0);
  CHECK(used["not_cloned_because"] == "not_files");
  CHECK(used["not_copied_in_kernel_because"] == "not_files");
  CHECK(used["message"].get<std::string>().ends_with(
      "completed; 4096 bytes copied by hand (not in the kernel: not_files)"));
  array.clock.advance(31s);
  array.copies.expire();
  const json ended = array.last("token.ended");
  CHECK(ended["reason"] == "expired");
  CHECK(ended["token"] == scsi::hash_of(token));
  CHECK(array.get("").dump().find(base::to_hex(base::ByteView(token).subspan(256, 8))) ==
        std::string::npos);
}

TEST_CASE("what happens to LUNs, and resets, are events") {
  ObservedArray array;
  REQUIRE(array.target->resize_unit({1}, base::ByteCount(unit_bytes * 2), array.pool));
  CHECK(array.last("lun.resized")["bytes"] == unit_bytes * 2);
  CHECK(array.last("lun.resized")["lun"] == 1);
  array.nexus->set_owner(&array.owner);
  bool done = false;
  array.nexus->manage(TaskManagementFunction::logical_unit_reset, 0,
                      [&done](TaskManagementResponse) { done = true; });
  CHECK(done);
  const json reset = array.last("task_management");
  CHECK(reset["function"] == "LOGICAL UNIT RESET");
  CHECK(reset["initiator"] == "iqn.host:a");
  CHECK(reset["lun"] == 0);
  const auto removed = array.target->remove_unit({2}, array.pool);
  REQUIRE(removed != nullptr);
  CHECK(array.last("lun.removed")["lun"] == 2);
  array.target->add_units({{scsi::Lun{5}, removed}});
  const json added = array.last("lun.added");
  CHECK(added["target"] == array.target->name());
  CHECK(added["lun"] == 5);
  CHECK(added["bytes"] == removed->guard().size().value);
}

TEST_CASE("a denial is an event with who wanted what") {
  ObservedArray array;
  device::DenialLog denials(array.OneSession::clock);
  denials.add({"iqn.host:x", "iqn.t", 3, 7, "0123456789ab", "not allowed"});
  const json denied = array.last("copy.denied");
  CHECK(denied["level"] == "warning");
  CHECK(denied["initiator"] == "iqn.host:x");
  CHECK(denied["target"] == "iqn.t");
  CHECK(denied["lun_seen"] == 3);
  CHECK(denied["token"] == "0123456789ab");
  CHECK(denied["reason"] == "not allowed");
  CHECK(denied["message"].get<std::string>().starts_with("copy denied: initiator iqn.host:x"));
}
