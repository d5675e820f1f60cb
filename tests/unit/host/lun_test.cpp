// Sending commands: patience with unit attentions and busy units, and what a host learns of a unit.
#include "fake_array.hpp"
#include <catch2/catch.hpp>

#include "scsi/inquiry_data.hpp"
#include "scsi/primary_cdbs.hpp"
#include "tools/host/lun_facts.hpp"

using namespace host;
using namespace host::test;
using Catch::Matchers::Contains;
namespace asc = scsi::asc;

namespace {

Reply attention(scsi::AdditionalSense why) {
  return with_sense(scsi::sense::unit_attention(why));
}

const Command ready = make_command(scsi::test_unit_ready::layout);

}  // namespace

TEST_CASE("each kind of unit attention is put up with once") {
  FakeArray array;
  FakeLun lun(array, 8, 512);
  lun.next_replies = {attention(asc::power_on_occurred), attention(asc::mode_parameters_changed)};
  CHECK(execute_patiently(lun, ready).good());
  CHECK(lun.seen.size() == 3);

  lun.next_replies = {attention(asc::power_on_occurred), attention(asc::power_on_occurred)};
  const Reply reply = execute_patiently(lun, ready);
  CHECK_FALSE(reply.good());
  CHECK(lun.next_replies.empty());
}

TEST_CASE("a unit that is busy for a while is waited for, one that stays busy is not") {
  FakeArray array;
  FakeLun lun(array, 8, 512);
  lun.next_replies = {with_status(scsi::Status::busy), with_status(scsi::Status::task_set_full)};
  CHECK(execute_patiently(lun, ready).good());
  CHECK(lun.paused == 2 * busy_pause);

  lun.intercept = [](const Command&) { return with_status(scsi::Status::busy); };
  lun.seen.clear();
  CHECK(execute_patiently(lun, ready).status == scsi::Status::busy);
  CHECK(lun.seen.size() == 101);
}

TEST_CASE("other answers are final") {
  FakeArray array;
  FakeLun lun(array, 8, 512);
  lun.next_replies = {with_status(scsi::Status::reservation_conflict)};
  CHECK(describe(execute_patiently(lun, ready)) == "RESERVATION CONFLICT");
  lun.next_replies = {with_sense(scsi::sense::illegal_request(asc::token_expired))};
  CHECK(describe(execute_patiently(lun, ready)) == "token expired (05/23/07)");
  CHECK(lun.seen.size() == 2);
}

TEST_CASE("facts of a unit, after the unit attentions of a new session") {
  FakeArray array;
  FakeLun lun(array, 1000, 4096);
  lun.next_replies = {attention(asc::power_on_occurred)};
  scsi::BlockLimits limits;
  limits.maximum_transfer_length = base::BlockCount(256);
  lun.block_limits_page = scsi::block_limits_page(limits);
  const auto facts = learn(lun);
  REQUIRE(facts);
  CHECK(facts->vendor == "FAKE");
  CHECK(facts->product == "Virtual Array");
  CHECK(facts->capacity.value == 1000);
  CHECK(facts->block_length.bytes == 4096);
  CHECK(facts->maximum_transfer_length.value == 256);
  CHECK(facts->capability.odx);
}

TEST_CASE("REMOTE TOKENS is found beyond the 255 bytes that Windows reads") {
  FakeArray array;
  FakeLun lun(array, 8, 512);
  scsi::ThirdPartyCopyPage page;
  page.remote_tokens = 4;
  // Enough commands to push descriptor 0106h beyond byte 255.
  for (unsigned opcode = 0; opcode < 8; ++opcode) {
    page.commands.push_back({static_cast<std::uint8_t>(opcode), std::vector<std::uint8_t>(28)});
  }
  lun.third_party_copy_page = scsi::encode(page);
  const auto facts = learn(lun);
  REQUIRE(facts);
  CHECK(facts->capability.cross_array());
}

TEST_CASE("a unit of another kind, or none at all, is refused in words") {
  FakeArray array;
  FakeLun lun(array, 8, 512);
  lun.standard_inquiry = scsi::standard_inquiry({}, scsi::Presence::no_such_unit);
  CHECK_THAT(learn(lun).error(), Contains("no such LUN"));
  lun.standard_inquiry = scsi::standard_inquiry({}, scsi::Presence::connected);
  lun.standard_inquiry[0] = 0x05;
  CHECK_THAT(learn(lun).error(), Contains("not a disk (peripheral device type 05h)"));
  lun.standard_inquiry.resize(10);
  CHECK_THAT(learn(lun).error(), Contains("too short"));
}

TEST_CASE("a unit without READ CAPACITY(16) is asked with READ CAPACITY(10)") {
  FakeArray array;
  FakeLun lun(array, 77, 512);
  lun.intercept = [&](const Command& command) -> std::optional<Reply> {
    if (command.cdb[0] == 0x9e) return with_sense(scsi::sense::invalid_operation_code());
    if (command.cdb[0] != 0x25) return std::nullopt;
    const auto data = scsi::read_capacity_10_data({base::BlockCount(77), {512}, 0});
    std::copy(data.begin(), data.end(), command.data_in.begin());
    return good(data.size());
  };
  const auto facts = learn(lun);
  REQUIRE(facts);
  CHECK(facts->capacity.value == 77);
}

TEST_CASE("a connection that goes away while learning is told as such") {
  FakeArray array;
  FakeLun lun(array, 8, 512);
  lun.intercept = [](const Command&) -> std::optional<Reply> {
    Reply lost;
    lost.trouble = "connection to x lost";
    return lost;
  };
  CHECK(learn(lun).error() == "INQUIRY: connection to x lost");
}
