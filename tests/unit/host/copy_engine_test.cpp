// Whole copies against arrays that stop short, fail, forget and lie: every byte arrives, or the
// engine says why not.
#include "tools/host/copy_engine.hpp"

#include "fake_array.hpp"
#include <catch2/catch.hpp>

using namespace host;
using namespace host::test;
using base::BlockCount;
using base::ByteCount;
using base::Lba;
using Catch::Matchers::Contains;
namespace asc = scsi::asc;

namespace {

constexpr std::uint64_t unit_blocks = 2048;

struct World {
  FakeArray array;
  FakeLun source{array, unit_blocks, 512}, destination{array, unit_blocks, 512};
  TokenTraffic traffic;
  CopyRequest request;
  CopyWatch watch;

  World() {
    source.fill(1);
    set_optimal_transfer_count(256);
    request.pipeline = {ByteCount(16384), 4};
  }
  // Small pieces, so that one copy has many commands.
  void set_optimal_transfer_count(std::uint64_t blocks) {
    scsi::ThirdPartyCopyPage page;
    page.limits.optimal_transfer_count = BlockCount(blocks);
    source.third_party_copy_page = destination.third_party_copy_page = scsi::encode(page);
  }
  CopyOutcome copy() {
    const LunFacts from = *learn(source), to = *learn(destination);
    source.seen.clear();
    destination.seen.clear();
    const auto plan = plan_copy(from, to, request);
    REQUIRE(plan);
    CopyEngine engine(source, from, destination, to, traffic, watch);
    return engine.copy(*plan, request);
  }
  bool equal() const { return source.memory == destination.memory; }
};

}  // namespace

TEST_CASE("an array in good health: tokens only, flushed at the end") {
  World world;
  const auto outcome = world.copy();
  CHECK(outcome.done());
  CHECK(world.equal());
  CHECK(outcome.bytes_offloaded.value == unit_blocks * 512);
  CHECK(world.traffic.counters == TokenCounters{8, 8, 8, 0, 0, 8});
  CHECK(world.source.count(0x88) == 0);
  REQUIRE_FALSE(world.destination.seen.empty());
  CHECK(world.destination.seen.back().cdb[0] == 0x35);
}

TEST_CASE("one token serves several writes at growing offsets") {
  World world;
  scsi::ThirdPartyCopyPage page;
  page.limits.maximum_token_transfer_size = BlockCount(1024);
  world.source.third_party_copy_page = scsi::encode(page);
  CHECK(world.copy().done());
  CHECK(world.equal());
  CHECK(world.traffic.counters == TokenCounters{2, 2, 8, 0, 0, 2});
}

TEST_CASE("list identifiers count up over both units") {
  World world;
  world.copy();
  const auto id = [](const FakeLun& lun, std::size_t i, std::size_t at) {
    return base::load_be32(lun.seen[i].cdb, at);
  };
  CHECK(id(world.source, 0, 6) == 0);       // POPULATE TOKEN
  CHECK(id(world.source, 1, 2) == 0);       // its record
  CHECK(id(world.destination, 0, 6) == 1);  // WRITE USING TOKEN
  CHECK(id(world.source, 2, 6) == 2);
}

TEST_CASE("short writes are continued where they stopped") {
  World world;
  world.array.behaviour.blocks_per_write_max = 7;
  const auto outcome = world.copy();
  CHECK(outcome.done());
  CHECK(world.equal());
  CHECK(outcome.bytes_through_host.value == 0);
  // 256 = 36 x 7 + 4: 36 short ones and a whole one for each token.
  CHECK(world.traffic.counters.short_writes == 8 * 36);
}

TEST_CASE("tokens for less than was asked are used and continued") {
  World world;
  world.array.behaviour.blocks_per_token_max = 100;
  CHECK(world.copy().bytes_offloaded.value == unit_blocks * 512);
  CHECK(world.equal());
  CHECK(world.traffic.counters.tokens == 21);
}

TEST_CASE("an error in the middle: auto continues through the host, offload fails") {
  World world;
  world.array.behaviour.bad_destination_lba = 700;
  SECTION("auto") {
    const auto outcome = world.copy();
    CHECK(outcome.done());
    CHECK(world.equal());
    CHECK(outcome.bytes_offloaded.value == 512 * 512);  // two whole tokens
    CHECK(outcome.bytes_through_host.value == (unit_blocks - 512) * 512);
    CHECK_THAT(outcome.fell_back_because, Contains("write error (03/0C/00)"));
    CHECK(base::load_be64(world.source.seen[6].cdb, 2) == 512);  // the first missing block
  }
  SECTION("auto, and the record tells how far it came") {
    world.array.behaviour.bad_write_leaves_count = true;
    const auto outcome = world.copy();
    CHECK(world.equal());
    CHECK(outcome.bytes_offloaded.value == 700 * 512);
  }
  SECTION("offload") {
    world.request.mode = Mode::offload;
    const auto outcome = world.copy();
    REQUIRE(outcome.failure);
    CHECK_THAT(*outcome.failure, Contains("write error") && Contains("at destination LBA 512"));
    CHECK(outcome.bytes_through_host.value == 0);
    CHECK(world.destination.count(0x35) == 0);
  }
}

TEST_CASE("lies and gaps never leave a block behind") {
  World world;
  Behaviour& how = world.array.behaviour;
  SECTION("INFORMATION too large") {
    how.blocks_per_write_max = 9;
    how.information_lie = 100000;
  }
  SECTION("INFORMATION and TRANSFER COUNT too large") {
    how.blocks_per_write_max = 9;
    how.information_lie = how.transfer_count_lie = 257;
  }
  SECTION("no INFORMATION, no record") {
    how.blocks_per_write_max = 9;
    how.information_missing = how.records_missing = true;
  }
  SECTION("no records at all") {
    how.records_missing = true;
  }
  SECTION("tokens of no blocks") {
    how.tokens_of_zero_blocks = true;
  }
  SECTION("no tokens") {
    how.tokens_missing = true;
  }
  SECTION("operations that never end") {
    how.operation_status = 0x11;
  }
  SECTION("the status that Microsoft's page names and Windows refuses") {
    how.operation_status = 0x04;
  }
  const auto outcome = world.copy();
  CHECK(outcome.done());
  CHECK(world.equal());
}

TEST_CASE("an expired token is replaced by a new one for the rest") {
  World world;
  world.array.behaviour.blocks_per_write_max = 50;
  world.array.behaviour.writes_per_token_max = 2;
  const auto outcome = world.copy();
  CHECK(outcome.done());
  CHECK(world.equal());
  CHECK(outcome.bytes_through_host.value == 0);
  CHECK(world.traffic.counters.tokens > 20);
}

TEST_CASE("tokens that die before they are used are not taken for ever") {
  World world;
  world.destination.intercept = [](const Command& command) -> std::optional<Reply> {
    if (command.cdb[0] != 0x83) return std::nullopt;
    return with_sense(scsi::sense::illegal_request(asc::token_expired));
  };
  const auto outcome = world.copy();
  CHECK(outcome.done());
  CHECK(world.equal());
  CHECK(world.traffic.counters.tokens == 2);
  CHECK_THAT(outcome.fell_back_because, Contains("token expired"));
}

TEST_CASE("a token that another array does not know is not tried twice") {
  FakeArray here, there;
  World world;
  FakeLun foreign(there, unit_blocks, 512);
  foreign.third_party_copy_page = world.destination.third_party_copy_page;
  const LunFacts from = *learn(world.source), to = *learn(foreign);
  CopyEngine engine(world.source, from, foreign, to, world.traffic, world.watch);
  const auto outcome = engine.copy(*plan_copy(from, to, world.request), world.request);
  CHECK(outcome.done());
  CHECK(foreign.memory == world.source.memory);
  CHECK(world.traffic.counters.tokens == 1);
  CHECK_THAT(outcome.fell_back_because, Contains("token unknown"));
}

TEST_CASE("a lost session is a failure in every mode, never a fallback") {
  World world;
  Reply lost;
  lost.trouble = "connection to x lost";
  world.destination.intercept = [lost,
                                 n = 0](const Command& command) mutable -> std::optional<Reply> {
    return command.cdb[0] == 0x83 && ++n == 3 ? std::optional(lost) : std::nullopt;
  };
  const auto outcome = world.copy();
  REQUIRE(outcome.failure);
  CHECK_THAT(*outcome.failure, Contains("connection to x lost"));
  CHECK(outcome.fell_back_because.empty());
}

TEST_CASE("the caller can stop between commands; nothing is flushed or claimed") {
  World world;
  ByteCount told;
  world.watch = {[&](ByteCount done) { told = done; }, [&] { return told.value >= 512 * 512; }};
  const auto outcome = world.copy();
  CHECK(outcome.stopped);
  CHECK_FALSE(outcome.done());
  CHECK(outcome.bytes_offloaded.value == 512 * 512);
  CHECK(world.destination.count(0x35) == 0);
}

TEST_CASE("the copy is done when the flush is") {
  World world;
  SECTION("a failing flush fails the copy") {
    world.destination.intercept = [](const Command& command) -> std::optional<Reply> {
      if (command.cdb[0] != 0x35) return std::nullopt;
      return with_sense(sense_of(scsi::SenseKey::medium_error, asc::write_error));
    };
    CHECK(world.copy().failure.value_or("none") == "SYNCHRONIZE CACHE(10): write error (03/0C/00)");
  }
  SECTION("the 16-byte form serves where the 10-byte form is unknown") {
    world.destination.intercept = [](const Command& command) -> std::optional<Reply> {
      if (command.cdb[0] == 0x35) return with_sense(scsi::sense::invalid_operation_code());
      return command.cdb[0] == 0x91 ? std::optional(good()) : std::nullopt;
    };
    const auto outcome = world.copy();
    CHECK(outcome.done());
    CHECK_FALSE(outcome.flush_note);
  }
  SECTION("a unit that knows neither has no cache, and this is said") {
    world.destination.intercept = [](const Command& command) -> std::optional<Reply> {
      if (command.cdb[0] == 0x35) return with_sense(scsi::sense::invalid_operation_code());
      return std::nullopt;
    };
    const auto outcome = world.copy();
    CHECK(outcome.done());
    CHECK(outcome.flush_note);
  }
}

TEST_CASE("partial copies leave their neighbours alone") {
  World world;
  world.request.source_first = Lba(3);
  world.request.destination_first = Lba(1001);
  world.request.blocks = BlockCount(777);
  world.array.behaviour.blocks_per_write_max = 100;
  CHECK(world.copy().done());
  Bytes expected(unit_blocks * 512);
  const auto from = world.source.block_span(3, 777);
  std::copy(from.begin(), from.end(), expected.begin() + 1001 * 512);
  CHECK(world.destination.memory == expected);
}

TEST_CASE("whatever an array does, auto mode copies every byte or says why not") {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    std::mt19937 dice(seed);
    World world;
    world.array.answers_out_of_order = true;
    world.set_optimal_transfer_count(1 + dice() % 600);
    const auto chance = [&](unsigned percent) { return dice() % 100 < percent; };
    Behaviour& how = world.array.behaviour;
    if (chance(50)) how.blocks_per_write_max = 1 + dice() % 300;
    if (chance(30)) how.blocks_per_token_max = 1 + dice() % 300;
    if (chance(20)) how.information_missing = true;
    if (chance(20)) how.information_lie = 600 + dice() % 100;
    if (chance(10)) how.records_missing = true;
    if (chance(20)) how.writes_per_token_max = 1 + dice() % 3;
    if (chance(20)) how.bad_destination_lba = dice() % unit_blocks;
    how.bad_write_leaves_count = chance(50);
    auto moods = [&dice](const Command& command) -> std::optional<Reply> {
      if (command.cdb[0] == 0x12) return std::nullopt;
      switch (dice() % 60) {
        case 0:
          return with_status(scsi::Status::busy);
        case 1:
          return with_sense(scsi::sense::unit_attention(asc::power_on_occurred));
        case 2:
          return command.cdb[0] == 0x83
                     ? std::optional(with_sense(scsi::sense::illegal_request(asc::token_expired)))
                     : std::nullopt;
        default:
          return std::nullopt;
      }
    };
    world.source.next_replies.clear();
    const LunFacts from = *learn(world.source), to = *learn(world.destination);
    world.source.intercept = world.destination.intercept = moods;
    CopyEngine engine(world.source, from, world.destination, to, world.traffic, world.watch);
    const auto outcome = engine.copy(*plan_copy(from, to, world.request), world.request);
    INFO("seed " << seed << " " << outcome.failure.value_or("done"));
    if (outcome.failure) {
      CHECK_THAT(*outcome.failure, Contains("power on"));  // the same attention twice in a row
    } else {
      REQUIRE(world.equal());
      CHECK((outcome.bytes_offloaded + outcome.bytes_through_host).value == unit_blocks * 512);
    }
  }
}
