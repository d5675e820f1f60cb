// Tokens and copy operations as an administrator sees them.
#include "copymgr/inspection.hpp"

#include <deque>

#include "copymgr/names.hpp"
#include "copymgr/operation.hpp"
#include "tests/unit/copymgr/copy_world.hpp"

namespace {

using namespace copymgr;
using namespace copymgr::test;

// Runs one work at a time, when told.
class StepPool final : public base::Executor {
 public:
  void post(base::Work work) override { works_.push_back(std::move(work)); }
  bool step() {
    if (works_.empty()) return false;
    base::Work work = std::move(works_.front());
    works_.pop_front();
    work();
    return true;
  }
  void run() {
    while (step()) {
    }
  }

 private:
  std::deque<base::Work> works_;
};

// Its slices are one step long.
CopySettings one_step_a_slice() {
  CopySettings settings = CopyWorld::small_steps();
  settings.slice = base::Duration(0);
  return settings;
}

}  // namespace

TEST_CASE("a token as an administrator sees it") {
  TestVolume source(1, 64), other(2, 64);
  source.volume.creator_descriptor[8] = 0x60;
  source.volume.creator_descriptor[23] = 0x77;
  CopyWorld world;
  world.manager.attach(source.volume);
  world.manager.attach(other.volume);
  const auto token = world.populate(1, {range(0, 8), range(32, 4)}, 30);
  world.clock.advance(12s);
  const auto tokens = world.manager.tokens(false);
  REQUIRE(tokens.size() == 1);
  const TokenFacts& facts = tokens.front();
  CHECK(facts.hash == scsi::hash_of(token));
  CHECK(facts.hash.size() == 12);
  CHECK(facts.identifier == scsi::identifier_of(token));
  CHECK(facts.rod_type == scsi::RodType::point_in_time_default);
  CHECK(facts.source_naa[0] == 0x60);
  CHECK(facts.source_naa[15] == 0x77);
  CHECK(facts.bytes_represented == base::ByteCount(12 * 512));
  CHECK(facts.age == 12s);
  CHECK(facts.left == 18s);
  REQUIRE(facts.held);
  CHECK(facts.held->made_by.initiator_name == "iqn.host");
  CHECK(facts.held->made_by.number == initiator_session);
  CHECK(facts.held->volume_id == 1);
  CHECK(facts.held->ranges == std::vector{range(0, 8), range(32, 4)});
  CHECK(facts.held->side_bytes == base::ByteCount(0));

  // Chunks of 4096 bytes: one is overwritten.
  source.write(0, Bytes(512, 1));
  CHECK(world.manager.tokens(false).front().held->side_bytes == base::ByteCount(4096));
  source.write(1, Bytes(512, 1));
  CHECK(world.manager.tokens(false).front().held->side_bytes == base::ByteCount(4096));
  source.write(34, Bytes(512, 1));
  CHECK(world.manager.tokens(false).front().held->side_bytes == base::ByteCount(8192));

  CHECK(world.manager.token_table().revoke(facts.identifier));
  CHECK(world.manager.tokens(false).empty());
  const auto dead = world.manager.tokens(true);
  REQUIRE(dead.size() == 1);
  CHECK(dead.front().death == tokens::TokenFault::revoked);
  CHECK_FALSE(dead.front().held);
  CHECK(is_token_fault(world.write(2, token, {range(0, 12)}), tokens::TokenFault::revoked));
}

TEST_CASE("tokens come oldest first, and their hashes differ") {
  TestVolume source(1, 64);
  CopyWorld world;
  world.manager.attach(source.volume);
  std::vector<std::uint64_t> made;
  for (int i = 0; i < 20; ++i) {
    made.push_back(scsi::identifier_of(world.populate(1, {range(0, 8)})));
    if (i % 3 == 0) world.clock.advance(1s);
  }
  std::vector<std::uint64_t> seen;
  std::vector<std::string> hashes;
  for (const TokenFacts& each : world.manager.tokens(false)) {
    seen.push_back(each.identifier);
    hashes.push_back(each.hash);
  }
  CHECK(seen == made);
  std::sort(hashes.begin(), hashes.end());
  CHECK(std::unique(hashes.begin(), hashes.end()) == hashes.end());
}

TEST_CASE("a copy operation while it runs, and when it has ended") {
  TestVolume source(1, 64), destination(2, 64);
  StepPool pool;
  CopyWorld world(pool, one_step_a_slice());
  world.manager.attach(source.volume);
  world.manager.attach(destination.volume);
  const auto token = world.populate(1, {range(0, 16)});
  REQUIRE(token != scsi::RodTokenBytes{});
  CHECK(world.write(2, token, {range(0, 16)}, 0, false, 0x42) == std::nullopt);
  pool.step();
  pool.step();
  world.clock.advance(2s);
  auto operations = world.manager.operations();
  REQUIRE(operations.size() == 2);
  CHECK(operations[0].service_action == populate_token_service_action);
  CHECK_FALSE(operations[0].running);
  CHECK(operations[0].bytes_asked == base::ByteCount(16 * 512));
  const OperationFacts running = operations[1];
  CHECK(running.running);
  CHECK(running.service_action == write_using_token_service_action);
  CHECK(running.key.list_identifier == 0x42);
  CHECK(running.key.volume_id == 2);
  CHECK(running.other_volume_ids == std::vector<std::uint64_t>{1});
  CHECK(running.bytes_asked == base::ByteCount(16 * 512));
  CHECK(running.bytes_done == base::ByteCount(4 * 512));
  CHECK(running.took == 2s);
  CHECK_FALSE(running.ended_for);
  CHECK(running.number > operations[0].number);
  CHECK(world.manager.tokens(false).front().uses_running == 1);

  pool.run();
  CHECK(is_good(world.written, 16));
  world.clock.advance(3s);
  operations = world.manager.operations();
  REQUIRE(operations.size() == 2);
  CHECK_FALSE(operations[1].running);
  CHECK(operations[1].number == running.number);
  CHECK(operations[1].bytes_done == base::ByteCount(16 * 512));
  CHECK(operations[1].took == 2s);
  CHECK(operations[1].ended_for == 3s);
  CHECK_FALSE(operations[0].result.token);  // a capability: not for who looks
}

TEST_CASE("an administrator aborts what runs") {
  TestVolume source(1, 64), destination(2, 64);
  StepPool pool;
  CopyWorld world(pool, one_step_a_slice());
  world.manager.attach(source.volume);
  world.manager.attach(destination.volume);
  const auto token = world.populate(1, {range(0, 16)});
  world.write(2, token, {range(0, 16)});
  pool.step();
  const std::uint64_t number = world.manager.operations().back().number;
  int stopped = 0;
  CHECK_FALSE(world.manager.abort_numbered(number + 1, [&] { ++stopped; }));
  CHECK(world.manager.abort_numbered(number, [&] { ++stopped; }));
  pool.run();
  CHECK(stopped == 1);
  CHECK(is_fault(world.written, CopyFault::Kind::aborted, 2));
  const OperationFacts ended = world.manager.operations().back();
  CHECK(ended.number == number);
  CHECK(ended.result.status == scsi::CopyOperationStatus::terminated);
  CHECK(ended.bytes_done == base::ByteCount(2 * 512));
  CHECK_FALSE(world.manager.abort_numbered(number, [&] { ++stopped; }));
  CHECK(stopped == 1);
}

TEST_CASE("an operation without a list identifier is seen and aborted while it runs") {
  TestVolume source(1, 64), destination(2, 64);
  StepPool pool;
  CopyWorld world(pool, one_step_a_slice());
  world.manager.attach(source.volume);
  world.manager.attach(destination.volume);
  ExtendedCopyRequest request;
  request.list_id_usage = scsi::ListIdUsage::none;
  request.segments = {segment(1, 0, 2, 0, 8), segment(1, 8, 2, 8, 8)};
  std::optional<CopyOutcome> ended;
  CHECK(world.manager.extended_copy(key(2), std::move(request),
                                    [&](CopyOutcome outcome) { ended = outcome; }));
  pool.step();
  const auto operations = world.manager.operations();
  REQUIRE(operations.size() == 1);
  CHECK_FALSE(operations[0].identified);
  CHECK(operations[0].bytes_asked == base::ByteCount(16 * 512));
  CHECK(world.manager.abort_numbered(operations[0].number, [] {}));
  pool.run();
  CHECK(is_fault(ended, CopyFault::Kind::aborted, 0));
  CHECK(world.manager.operations().empty());
}

TEST_CASE("many records are all seen") {
  TestVolume source(1, 64);
  CopyWorld world;
  world.manager.attach(source.volume);
  std::size_t good = 0;
  for (std::uint64_t session = 0; session < 4; ++session) {
    for (std::uint32_t list = 0; list < 200; ++list) {
      world.manager.populate_token(key(1, list, session), {60, {}, {range(0, 1)}},
                                   [&](CopyOutcome outcome) { good += outcome ? 1 : 0; });
    }
  }
  CHECK(good == 800);
  CHECK(world.manager.operations().size() == 800);
  world.clock.advance(1h);
  CHECK(world.manager.operations().empty());  // too old to be asked for
}

TEST_CASE("what was copied and not shared has a reason") {
  TestVolume source(1, 64), destination(2, 64);
  CopyWorld world;
  world.manager.attach(source.volume);
  world.manager.attach(destination.volume);
  const auto token = world.populate(1, {range(0, 16)});
  CHECK(is_good(world.write(2, token, {range(0, 16)}), 16));
  const CopyCounters counters = world.manager.counters();
  std::uint64_t not_cloned = 0, not_in_kernel = 0;
  for (std::size_t i = 0; i < short_cut_obstacles; ++i) {
    not_cloned += counters.not_cloned[i];
    not_in_kernel += counters.not_copied_in_kernel[i];
  }
  CHECK(not_cloned == counters.bytes_copied + counters.bytes_copied_in_kernel);
  CHECK(not_in_kernel == counters.bytes_copied);
  CHECK(counters.bytes_requested == 16 * 512);
  CHECK(counters.bytes_copied == 16 * 512);
  // Steps of two blocks are no multiples of 4096 bytes, and memory is no file.
  const auto not_aligned = static_cast<std::size_t>(ShortCutObstacle::not_aligned);
  const auto not_files = static_cast<std::size_t>(ShortCutObstacle::not_files);
  CHECK(counters.not_cloned[not_aligned] == 16 * 512);
  CHECK(counters.not_copied_in_kernel[not_files] == 16 * 512);
}

// What moved is counted once: with its operation, and with that in the array's sums.
TEST_CASE("each copy operation knows how its own bytes moved, and together they are the array's") {
  TestVolume source(1, 64), destination(2, 64);
  CopyWorld world;
  world.manager.attach(source.volume);
  world.manager.attach(destination.volume);
  const auto token = world.populate(1, {range(0, 16)});
  CHECK(is_good(world.write(2, token, {range(0, 16)}, 0, false, 0x42), 16));
  CHECK(
      is_good(world.write(2, scsi::block_device_zero_token(), {range(16, 8)}, 0, false, 0x43), 8));
  ExtendedCopyRequest request;
  request.list_id_usage = scsi::ListIdUsage::hold;
  request.segments = {segment(1, 0, 2, 0, 4)};
  CHECK(world.manager.extended_copy(key(2, 0x44), std::move(request), [](CopyOutcome) {}));
  const auto operations = world.manager.operations();
  REQUIRE(operations.size() == 4);
  const MovedBytes &populated = operations[0].moved, &written = operations[1].moved,
                   &zeroed = operations[2].moved, &copied = operations[3].moved;
  CHECK(populated == MovedBytes{});
  MovedBytes by_hand;
  by_hand.bytes_copied = 16 * 512;
  // Steps of two blocks are no multiples of 4096 bytes, and memory is no file.
  by_hand.not_cloned = {16 * 512, 0, 0, 0, 0};
  by_hand.not_copied_in_kernel = {0, 16 * 512, 0, 0, 0};
  CHECK(written == by_hand);
  MovedBytes zeros;
  zeros.bytes_zeroed = 8 * 512;
  CHECK(zeroed == zeros);
  CHECK(copied.bytes_copied == 4 * 512);
  CHECK(copied.bytes_zeroed == 0);
  const CopyCounters all = world.manager.counters();
  CHECK(all.bytes_copied == (16 + 4) * 512);
  CHECK(all.bytes_zeroed == 8 * 512);
  CHECK(all.not_cloned[0] == (16 + 4) * 512);
  CHECK(all.not_copied_in_kernel[1] == (16 + 4) * 512);
}

TEST_CASE("a copy that ends before its end knows what it has moved") {
  TestVolume source(1, 64), destination(2, 64);
  StepPool pool;
  CopyWorld world(pool, one_step_a_slice());
  world.manager.attach(source.volume);
  world.manager.attach(destination.volume);
  const auto token = world.populate(1, {range(0, 16)});
  world.write(2, token, {range(0, 16)});
  pool.step();
  const OperationFacts running = world.manager.operations().back();
  CHECK(running.running);
  CHECK(running.moved.bytes_copied == running.bytes_done.value);
  CHECK(running.moved.bytes_copied == 2 * 512);
  CHECK(world.manager.abort_numbered(running.number, [] {}));
  pool.run();
  CHECK(world.manager.operations().back().moved.bytes_copied == 2 * 512);
  CHECK(world.manager.counters().bytes_copied == 2 * 512);
}

TEST_CASE("how bytes moved, in words") {
  MovedBytes moved;
  CHECK(to_text(moved).empty());
  CHECK(reasons_in(moved.not_cloned).empty());
  moved.bytes_cloned = 8192;
  CHECK(to_text(moved) == "8192 bytes cloned");
  moved.bytes_copied_in_kernel = 1024;
  moved.bytes_copied = 512;
  moved.bytes_zeroed = 4096;
  moved.bytes_pulled = 1;
  moved.not_cloned = {1000, 0, 536, 0, 0};
  moved.not_copied_in_kernel = {0, 0, 0, 500, 12};
  CHECK(reasons_in(moved.not_cloned) == "not_aligned, other_file_system");
  CHECK(to_text(moved) ==
        "8192 bytes cloned, 1024 copied in the kernel (not cloned: not_aligned, "
        "other_file_system), 512 copied by hand (not in the kernel: file_system_cannot, failed), "
        "1 pulled, 4096 zeroed");
}
