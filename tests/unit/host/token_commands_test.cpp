// One offload read, one offload write: the bytes that Windows sends, its retries, and the rules for
// what it believes (windows-host B.1-B.6).
#include "tools/host/token_commands.hpp"

#include "fake_array.hpp"
#include <catch2/catch.hpp>

using namespace host;
using namespace host::test;
using base::BlockCount;
using base::BlockRange;
using base::Lba;
using Catch::Matchers::Contains;
namespace asc = scsi::asc;

namespace {

struct World {
  FakeArray array;
  FakeLun source{array, 256, 512}, destination{array, 256, 512};
  TokenTraffic traffic;

  World() { source.fill(1); }
  auto read(std::uint64_t first = 0, std::uint64_t count = 64) {
    return offload_read(source, {Lba(first), BlockCount(count)}, 0, traffic);
  }
  // Writes 64 blocks at LBA 0 from the start of the token.
  WriteProgress write(const PopulatedToken& token) {
    return offload_write(destination, {token.token, BlockCount(), {Lba(0), BlockCount(64)}}, 0x618,
                         traffic);
  }
  WriteProgress populate_and_write() {
    const auto token = read();
    REQUIRE(token);
    return write(*token);
  }
};

scsi::CopyResult record(std::uint8_t action, std::uint64_t count) {
  scsi::CopyResult out;
  out.response_to_service_action = action;
  out.transfer_count_blocks = count;
  return out;
}

}  // namespace

TEST_CASE("an offload read is POPULATE TOKEN, then RECEIVE ROD TOKEN INFORMATION of 805 bytes") {
  World world;
  world.traffic.list_identifiers = ListIdentifiers(0x01020304);
  REQUIRE(world.read(16, 8));
  REQUIRE(world.source.seen.size() == 2);
  const scsi::CdbBytes populate{0x83, 0x10, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0x20, 0, 0};
  const scsi::CdbBytes ask{0x84, 0x07, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 3, 0x25, 0, 0};
  CHECK(world.source.seen[0].cdb == populate);
  CHECK(world.source.seen[1].cdb == ask);
}

TEST_CASE("parameter lists are byte for byte those of Windows") {
  World world;
  Bytes list;
  const auto keep = [&list](const Command& command) -> std::optional<Reply> {
    if (command.cdb[0] == 0x83) list.assign(command.data_out.begin(), command.data_out.end());
    return std::nullopt;
  };
  world.source.intercept = world.destination.intercept = keep;
  const auto token = world.read(16, 8);
  CHECK(list == Bytes{0, 0x1e, 0, 0, 0, 0, 0, 0,    0, 0, 0, 0, 0, 0, 0, 0x10,
                      0, 0,    0, 0, 0, 0, 0, 0x10, 0, 0, 0, 8, 0, 0, 0, 0});
  offload_write(world.destination, {token->token, BlockCount(3), {Lba(0x20), BlockCount(5)}}, 0x618,
                world.traffic);
  REQUIRE(list.size() == 552);
  CHECK(base::load_be16(list, 0) == 0x226);
  CHECK(std::all_of(list.begin() + 2, list.begin() + 8, [](auto byte) { return byte == 0; }));
  CHECK(base::load_be64(list, 8) == 3);
  CHECK(std::equal(token->token.begin(), token->token.end(), list.begin() + 16));
  CHECK(base::load_be16(list, 534) == 0x10);
  CHECK(base::load_be64(list, 536) == 0x20);
  CHECK(base::load_be32(list, 544) == 5);
}

TEST_CASE("a write that ends GOOD is believed without a question") {
  World world;
  const auto progress = world.populate_and_write();
  CHECK(progress.blocks.value == 64);
  CHECK_FALSE(progress.trouble);
  CHECK(world.destination.seen.size() == 1);
  CHECK(std::equal(world.source.memory.begin(), world.source.memory.begin() + 64 * 512,
                   world.destination.memory.begin()));
}

TEST_CASE("a short write tells its blocks in INFORMATION, under either key") {
  for (const auto key : {scsi::SenseKey::copy_aborted, scsi::SenseKey::aborted_command}) {
    World world;
    const auto token = world.read();
    world.destination.next_replies = {
        with_sense(sense_of(key, asc::copy_target_data_underrun, 10))};
    const auto progress = world.write(*token);
    CHECK(progress.blocks.value == 10);
    CHECK_FALSE(progress.trouble);
    CHECK(world.destination.seen.size() == 1);
    CHECK(world.traffic.counters.short_writes == 1);
  }
}

TEST_CASE("a short write without INFORMATION is asked about") {
  World world;
  world.array.behaviour.blocks_per_write_max = 10;
  world.array.behaviour.information_missing = true;
  const auto progress = world.populate_and_write();
  CHECK(progress.blocks.value == 10);
  CHECK_FALSE(progress.trouble);
  REQUIRE(world.destination.count(0x84, 0x07) == 1);
  CHECK(base::load_be32(world.destination.seen.back().cdb, 10) == 0x618);
}

TEST_CASE("INFORMATION above what was asked is not believed") {
  World world;
  world.array.behaviour.blocks_per_write_max = 10;
  world.array.behaviour.information_lie = 65;
  const auto token = world.read();
  const auto progress = world.write(*token);
  CHECK(progress.blocks.value == 10);  // what the record says
  CHECK(world.destination.count(0x84, 0x07) == 1);

  world.array.behaviour.transfer_count_lie = 65;  // and that lies too
  const auto worse = world.write(*token);
  CHECK(worse.blocks.value == 0);
  REQUIRE(worse.trouble);
}

TEST_CASE("an invalid token ends the write without a question") {
  World world;
  const auto token = world.read();
  world.array.forget_tokens();
  const auto progress = world.write(*token);
  CHECK(progress.blocks.value == 0);
  REQUIRE(progress.trouble);
  CHECK(progress.trouble->outcome == Outcome::invalid_token);
  CHECK(progress.trouble->text == "WRITE USING TOKEN: token unknown (05/23/04)");
  CHECK(world.destination.seen.size() == 1);
}

TEST_CASE("after another failure the record decides") {
  World world;
  world.array.behaviour.bad_destination_lba = 20;
  SECTION("it counts what was written before the error") {
    world.array.behaviour.bad_write_leaves_count = true;
    const auto progress = world.populate_and_write();
    CHECK(progress.blocks.value == 20);
    CHECK_FALSE(progress.trouble);
  }
  SECTION("a record with errors counts nothing") {
    const auto progress = world.populate_and_write();
    CHECK(progress.blocks.value == 0);
    CHECK_THAT(progress.trouble->text, Contains("write error (03/0C/00)"));
  }
  SECTION("without a record the command's own sense is told") {
    const auto token = world.read();
    world.array.behaviour.records_missing = true;
    const auto progress = world.write(*token);
    CHECK(progress.blocks.value == 0);
    CHECK_THAT(progress.trouble->text, Contains("WRITE USING TOKEN: write error (03/0C/00)"));
  }
}

TEST_CASE("retries: POPULATE TOKEN once, WRITE USING TOKEN twice, with the same list identifier") {
  World world;
  const Reply attention = with_sense(scsi::sense::unit_attention(asc::power_on_occurred));
  world.source.next_replies = {attention};
  const auto token = world.read();
  REQUIRE(token);
  CHECK(world.source.seen[0].cdb == world.source.seen[1].cdb);
  world.source.next_replies = {attention, attention};
  CHECK_FALSE(world.read());
  CHECK(world.source.next_replies.empty());

  world.destination.next_replies = {attention, attention};
  CHECK_FALSE(world.write(*token).trouble);
  CHECK(world.destination.count(0x83) == 3);
  CHECK(world.destination.seen[0].cdb == world.destination.seen[2].cdb);
  CHECK(world.traffic.counters.retries == 4);
}

TEST_CASE("a busy array costs no retry") {
  World world;
  world.source.next_replies = {5, with_status(scsi::Status::busy)};
  CHECK(world.read());
  CHECK(world.source.paused == 5 * busy_pause);
  world.source.intercept = [](const Command&) { return with_status(scsi::Status::busy); };
  CHECK_FALSE(world.read());  // for ever: given up
}

TEST_CASE("a refused POPULATE TOKEN is not asked about") {
  World world;
  world.source.next_replies = {
      with_sense(sense_of(scsi::SenseKey::aborted_command, asc::insufficient_resources))};
  const auto token = world.read();
  REQUIRE_FALSE(token);
  CHECK(token.error().text == "POPULATE TOKEN: insufficient resources (0B/55/03)");
  CHECK(world.source.seen.size() == 1);
}

TEST_CASE("a lost connection is told as such and not asked about") {
  World world;
  const auto token = world.read();
  Reply lost;
  lost.trouble = "connection to x lost";
  world.destination.next_replies = {lost};
  const auto progress = world.write(*token);
  CHECK(progress.trouble->outcome == Outcome::undelivered);
  CHECK(world.destination.seen.size() == 1);
}

TEST_CASE("what a POPULATE TOKEN record must have to yield a token") {
  scsi::CopyResult result = record(0x10, 64);
  result.token = scsi::encode(scsi::RodTokenFields{});
  const auto read = [&] {
    return read_populated_token(scsi::encode_rod_token_information(result), BlockCount(64));
  };
  CHECK(read()->blocks.value == 64);
  result.transfer_count_blocks = 65;  // a hostile target
  CHECK_THAT(read().error().text, Contains("TRANSFER COUNT 65 although 64 blocks"));
  result.transfer_count_blocks = 0;
  CHECK_FALSE(read());
  result.transfer_count_blocks = 63;
  CHECK(read()->blocks.value == 63);
  for (const unsigned status : {0x00, 0x02, 0x04, 0x10, 0x11, 0x12, 0x60}) {
    INFO(status);
    result.status = static_cast<scsi::CopyOperationStatus>(status);
    CHECK_FALSE(read());
  }
  // Windows takes a token with a count even where the sense says trouble.
  result.status = scsi::CopyOperationStatus::completed_with_residual;
  result.sense = underrun(63);
  CHECK(read()->blocks.value == 63);
  result.token.reset();
  CHECK_FALSE(read());
}

TEST_CASE("records that cannot be read, or are of another command, yield nothing") {
  Bytes data = scsi::encode_rod_token_information(record(0x11, 64));
  CHECK(read_blocks_written(data, BlockCount(64))->value == 64);
  CHECK_THAT(read_populated_token(data, BlockCount(64)).error().text,
             Contains("a record of another command, not of POPULATE TOKEN"));
  data[15] = 0x00;  // TRANSFER COUNT UNITS in bytes
  CHECK_FALSE(read_blocks_written(data, BlockCount(64)));
  for (std::size_t length = 0; length < data.size(); ++length) {
    CHECK_FALSE(read_blocks_written(base::ByteView(data).first(length), BlockCount(64)));
  }
}
