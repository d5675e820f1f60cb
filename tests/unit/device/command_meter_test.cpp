// What commands of a unit were, and how long they took.
#include "target/device/command_meter.hpp"

#include <thread>

#include "base/executor.hpp"
#include "target/device/command_table.hpp"
#include "tests/unit/device/device_world.hpp"

namespace {

using namespace device;
using namespace device::test;

std::size_t bucket_of(base::Duration bound) {
  const auto at = std::find(latency_bounds.begin(), latency_bounds.end(), bound);
  REQUIRE(at != latency_bounds.end());
  return static_cast<std::size_t>(at - latency_bounds.begin());
}

}  // namespace

TEST_CASE("kinds of commands follow the command table") {
  for (const CommandRow& row : command_table()) {
    scsi::CdbBytes cdb{};
    cdb[0] = row.layout.opcode;
    if (row.layout.service_action)
      scsi::service_action_of(cdb[0]).write(cdb, *row.layout.service_action);
    const std::string_view name = row.layout.name;
    INFO(name);
    const auto is = [&](std::initializer_list<std::string_view> starts) {
      return std::any_of(starts.begin(), starts.end(),
                         [&](std::string_view start) { return name.starts_with(start); });
    };
    CommandKind expected = CommandKind::other;
    if (is({"READ("})) expected = CommandKind::read;
    if (is({"WRITE(", "WRITE AND VERIFY", "WRITE SAME", "WRITE ATOMIC", "COMPARE AND", "ORWRITE"}))
      expected = CommandKind::write;
    if (is({"EXTENDED COPY", "POPULATE TOKEN", "WRITE USING TOKEN", "COPY OPERATION ABORT"}))
      expected = CommandKind::copy;
    CHECK(kind_of({cdb.data(), cdb.size()}) == expected);
  }
}

TEST_CASE("a command is in the bucket of the bound that it does not pass") {
  base::ManualClock clock;
  CommandMeter meter(7, clock);
  const auto take = [&](base::Duration time, bool good = true) {
    const base::Instant begun = meter.now();
    clock.advance(time);
    meter.ended(CommandKind::write, begun, good);
  };
  take(0ns);
  take(2us);
  take(2001ns);
  take(1ms, false);
  take(10s);
  take(11s);
  const KindFigures writes = meter.figures().of(CommandKind::write);
  CHECK(writes.ended[0] == 2);
  CHECK(writes.ended[bucket_of(5us)] == 1);
  CHECK(writes.ended[bucket_of(1ms)] == 1);
  CHECK(writes.ended[bucket_of(10s)] == 1);
  CHECK(writes.ended.back() == 1);
  CHECK(writes.commands() == 6);
  CHECK(writes.not_good == 1);
  CHECK(writes.nanoseconds == 21'001'004'001);
  CHECK(meter.figures().of(CommandKind::read) == KindFigures());
}

TEST_CASE("bounds ascend") {
  CHECK(std::is_sorted(latency_bounds.begin(), latency_bounds.end()));
  CHECK(std::adjacent_find(latency_bounds.begin(), latency_bounds.end()) == latency_bounds.end());
}

TEST_CASE("what a nexus counted stays when it is gone") {
  base::ManualClock clock;
  CommandMeters meters;
  auto first = meters.open(1, clock);
  auto second = meters.open(2, clock);
  first->count_read(base::ByteCount(512));
  second->count_write(base::ByteCount(1024));
  first->ended(CommandKind::read, clock.now(), true);
  const CommandFigures before = meters.total();
  CHECK(before.reads == 1);
  CHECK(before.bytes_written == 1024);
  CHECK(meters.of_nexuses().size() == 2);
  first.reset();
  CHECK(meters.total() == before);
  REQUIRE(meters.of_nexuses().size() == 1);
  CHECK(meters.of_nexuses()[0].number == 2);
  CHECK(meters.of_nexuses()[0].figures.writes == 1);
}

TEST_CASE("commands through a nexus are counted once, whatever becomes of them") {
  OneSession world;
  const auto figures = [&] { return world.target->units().at({0})->meters().total(); };
  const CommandFigures before = figures();
  CHECK(world.run("28 00 00000000 00 0008 00").good());
  CHECK_FALSE(world.run("28 00 ffffffff 00 0008 00").good());
  CHECK(world.run("28 00 00000000 00 0000 00").good());  // moves nothing
  CHECK(world.run("12 00 00 00 24 00").good());          // passes by the task set
  CHECK_FALSE(world.run("ff").good());
  world.run("12 00 00 00 24 00", {}, 99);  // no such unit
  const CommandFigures after = figures();
  CHECK(after.of(CommandKind::read).commands() == 3);
  CHECK(after.of(CommandKind::read).not_good == 1);
  CHECK(after.of(CommandKind::other).commands() - before.of(CommandKind::other).commands() == 2);
  CHECK(after.of(CommandKind::other).not_good - before.of(CommandKind::other).not_good == 1);
  CHECK(after.reads == 1);
  CHECK(after.bytes_read == 8 * 512);
}

TEST_CASE("a command that waits takes time until it has its status") {
  base::ManualExecutor pool;
  World world({}, {}, &pool);
  const auto nexus = world.login("iqn.host:a");
  pool.run();
  Command command;
  // SYNCHRONIZE CACHE does its work on the pool.
  world.start(command, *nexus, cdb_of("35 00 00000000 00 0000 00"), {});
  REQUIRE(command.owner.finished == 0);
  world.clock.advance(3ms);
  pool.run();
  REQUIRE(command.owner.finished == 1);
  const CommandFigures figures = world.target->units().at({0})->meters().total();
  CHECK(figures.of(CommandKind::other).ended[bucket_of(5ms)] == 1);
  CHECK(figures.of(CommandKind::other).nanoseconds == 3'000'000);
}

TEST_CASE("numbers are whole while others look", "[threads]") {
  base::SystemClock clock;
  CommandMeters meters;
  constexpr std::uint64_t each = 20'000;
  std::vector<std::thread> nexuses;
  for (std::uint64_t number = 1; number <= 3; ++number) {
    nexuses.emplace_back([&, number] {
      const auto meter = meters.open(number, clock);
      for (std::uint64_t i = 0; i < each; ++i) {
        meter->count_read(base::ByteCount(512));
        meter->ended(CommandKind::read, meter->now(), true);
      }
    });
  }
  std::uint64_t seen = 0;
  while (seen < 3 * each) {
    const std::uint64_t now = meters.total().reads;
    REQUIRE(now >= seen);
    seen = now;
    std::this_thread::yield();
  }
  for (std::thread& nexus : nexuses)
    nexus.join();
  CHECK(meters.total().of(CommandKind::read).commands() == 3 * each);
  CHECK(meters.of_nexuses().empty());
}
