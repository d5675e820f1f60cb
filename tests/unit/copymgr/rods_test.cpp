// Each ROD type by how its data is held; background operations, their turns and their estimates.
#include "copymgr/ledger.hpp"
#include "copymgr/snapshot_rod.hpp"
#include "tests/unit/copymgr/copy_world.hpp"

using namespace copymgr;
using namespace copymgr::test;
using Kind = CopyFault::Kind;
using Status = scsi::CopyOperationStatus;
using enum scsi::RodType;

namespace {

CopyLimits everything_offered() {
  CopyLimits limits;
  limits.rod_types.insert(access_upon_reference);
  return limits;
}

struct RodWorld {
  explicit RodWorld(const CopyLimits& limits = everything_offered(),
                    base::ByteCount side = base::ByteCount(1 << 20))
      : source(1, 64, side), world(CopyWorld::small_steps()) {
    source.volume.limits = destination.volume.limits = limits;
    world.manager.attach(source.volume);
    world.manager.attach(destination.volume);
  }
  scsi::RodTokenBytes populate(std::optional<scsi::RodType> type,
                               std::vector<base::BlockRange> ranges) {
    world.manager.populate_token(key(1, 0x77), {0, type, std::move(ranges)},
                                 [this](CopyOutcome outcome) { world.populated = outcome; });
    const auto report = world.manager.report(key(1, 0x77));
    return report && report->token ? *report->token : scsi::RodTokenBytes{};
  }

  TestVolume source, destination{2, 64};
  CopyWorld world;
};

}  // namespace

TEST_CASE("5.4 the type of a token: as asked, 'any' is persistent first, none is the default") {
  RodWorld w;
  for (const auto type : {point_in_time_default, point_in_time_change_vulnerable,
                          point_in_time_persistent, access_upon_reference}) {
    CHECK(scsi::rod_type_of(w.populate(type, {range(0, 4)})) == type);
  }
  CHECK(scsi::rod_type_of(w.populate(point_in_time_any, {range(0, 4)})) ==
        point_in_time_persistent);
  CHECK(scsi::rod_type_of(w.populate({}, {range(0, 4)})) == point_in_time_default);

  using tokens::type_of_new_token;
  const scsi::RodTypeSet two{point_in_time_default, point_in_time_change_vulnerable};
  CHECK(type_of_new_token(point_in_time_any, two, point_in_time_default) ==
        point_in_time_change_vulnerable);
  CHECK(type_of_new_token({}, two, point_in_time_persistent) == point_in_time_change_vulnerable);
  CHECK(type_of_new_token({}, {access_upon_reference}, point_in_time_default) ==
        access_upon_reference);
  CHECK_FALSE(type_of_new_token(point_in_time_persistent, two, point_in_time_default));
  CHECK_FALSE(type_of_new_token(block_device_zero, {block_device_zero}, point_in_time_default));
  CHECK_FALSE(type_of_new_token({}, {}, point_in_time_default));
  CHECK(tokens::populated({point_in_time_any}) == scsi::RodTypeSet());
}

TEST_CASE("5.4 change vulnerable: the first write into the ranges cancels, one beside does not") {
  RodWorld w;
  const Bytes before = w.source.read(8, 4);
  const auto token = w.populate(point_in_time_change_vulnerable, {range(8, 4)});
  w.source.write(7, Bytes(512));
  w.source.write(12, Bytes(512));
  REQUIRE(is_good(w.world.write(2, token, {range(0, 4)}), 4));
  CHECK(w.destination.read(0, 4) == before);
  w.source.write(11, Bytes(512));
  CHECK(is_token_fault(w.world.write(2, token, {range(20, 4)}), tokens::TokenFault::cancelled));
  CHECK(w.source.guard->counters().chunks_saved_by_copy == 0);
  CHECK(w.world.manager.token_counters().cancelled == 1);
}

TEST_CASE("5.4 persistent tokens outlive the default ones when the side file is full") {
  RodWorld w(everything_offered(), base::ByteCount(8192));  // two chunks of eight blocks
  const Bytes before = w.source.all();
  const auto ordinary = w.populate(point_in_time_default, {range(0, 16)});
  const auto persistent = w.populate(point_in_time_persistent, {range(16, 16)});
  w.source.write(0, Bytes(16 * 512));  // takes all of the side file
  w.source.write(16, Bytes(16 * 512));
  CHECK(is_token_fault(w.world.write(2, ordinary, {range(0, 16)}), tokens::TokenFault::cancelled));
  REQUIRE(is_good(w.world.write(2, persistent, {range(0, 16)}), 16));
  CHECK(w.destination.read(0, 16) == Bytes(before.begin() + 16 * 512, before.begin() + 32 * 512));
}

TEST_CASE("5.4 access upon reference: what the source holds at use, and survives writes") {
  RodWorld w;
  const auto token = w.populate(access_upon_reference, {range(0, 4), range(32, 4)});
  for (unsigned seed = 0; seed < 3; ++seed) {
    w.source.write(2, Bytes(512, static_cast<std::uint8_t>(seed)));
    REQUIRE(is_good(w.world.write(2, token, {range(10, 6)}, 1), 6));
    Bytes expected = w.source.read(1, 3);
    const Bytes rest = w.source.read(32, 3);
    expected.insert(expected.end(), rest.begin(), rest.end());
    CHECK(w.destination.read(10, 6) == expected);
  }
  CHECK(w.source.guard->counters().side_bytes_in_use == base::ByteCount(0));
  SECTION("onto its own source it moves what was there") {
    const Bytes before = w.source.read(0, 4);
    REQUIRE(is_good(w.world.write(1, token, {range(1, 4)}), 4));
    CHECK(w.source.read(1, 4) == before);
  }
  SECTION("9.7 with its blocks it goes") {
    REQUIRE(w.source.guard->forget_snapshots());  // as a shorter store does, and SANITIZE
    CHECK(is_token_fault(w.world.write(2, token, {range(0, 1)}), tokens::TokenFault::cancelled));
  }
}

TEST_CASE("7.4 order 2: a token of a type that is no longer offered is unsupported, zero too") {
  CopyLimits limits;
  limits.rod_types = {point_in_time_persistent};
  RodWorld w(limits);
  auto token = w.populate({}, {range(0, 4)});
  CHECK(scsi::rod_type_of(token) == point_in_time_persistent);
  token = {};  // without our mark: of that only the type and the length are looked at
  scsi::rod_token::length.write(token, scsi::rod_token::length_value);
  scsi::rod_token::rod_type.write(token, 0x00800000);
  using tokens::TokenFault;
  CHECK(is_token_fault(w.world.write(2, token, {range(0, 4)}), TokenFault::unsupported_type));
  CHECK(is_token_fault(w.world.write(2, scsi::block_device_zero_token(), {range(0, 4)}),
                       TokenFault::unsupported_type));
}

TEST_CASE("11 row 11: all unmapped blocks give the zero token where that is the setting") {
  for (const bool setting : {false, true}) {
    CopyLimits limits = everything_offered();
    limits.zero_token_for_unmapped = setting;
    RodWorld w(limits);
    // A store that is all hole but for what was written (TestVolume writes everything).
    auto fresh =
        std::make_unique<store::Guard>(*store::MemoryStore::open(base::ByteCount(1 << 20)),
                                       *store::MemoryStore::open(base::ByteCount(1 << 20)),
                                       store::GuardSettings{4096, base::ByteCount(1 << 20)});
    Volume volume = w.source.volume;
    volume.id = 9;
    volume.guard = fresh.get();
    volume.capacity = base::BlockCount(2048);
    w.world.manager.attach(volume);
    const auto holes = w.world.populate(9, {range(0, 64), range(512, 64)});
    CHECK(scsi::is_block_device_zero(holes) == setting);
    CHECK(w.world.manager.report(key(9, 0x9000))->transfer_count_blocks == 128);
    REQUIRE(fresh->write(base::ByteOffset(0), Bytes(512, 1), store::Durability::cached));
    CHECK_FALSE(scsi::is_block_device_zero(w.world.populate(9, {range(512, 64), range(0, 64)})));
    w.world.manager.detach(9);
  }
}

namespace {

struct BackgroundWorld {
  explicit BackgroundWorld(CopySettings settings) : world(pool, settings) {
    world.manager.attach(source.volume);
    world.manager.attach(destination.volume);
    token = world.populate(1, {range(0, 32)});
  }
  bool write(std::uint32_t list_identifier, std::uint64_t lba, std::uint64_t blocks,
             bool in_background) {
    Manner manner;
    manner.in_background = in_background;
    manner.sense_of = [](const CopyFault&) { return scsi::sense::illegal_request({0x26, 0x00}); };
    return world.manager.write_using_token(
        key(2, list_identifier), {false, {}, token, {range(lba, blocks)}},
        [this, list_identifier](CopyOutcome) { ended.push_back(list_identifier); }, {}, manner);
  }
  scsi::CopyResult report(std::uint32_t list_identifier) const {
    return world.manager.report(key(2, list_identifier)).value();
  }
  static CopySettings one_step_a_slice() {
    CopySettings settings = CopyWorld::small_steps();
    settings.slice = base::Duration(0);
    return settings;
  }

  base::ManualExecutor pool;
  TestVolume source{1, 32}, destination{2, 128};
  CopyWorld world;
  scsi::RodTokenBytes token;
  std::vector<std::uint32_t> ended;
};

}  // namespace

TEST_CASE("4.3 while it runs in background: 12h, progress, steps, and an estimate from progress") {
  BackgroundWorld w(BackgroundWorld::one_step_a_slice());
  REQUIRE(w.write(1, 0, 8, true));
  CHECK(w.report(1).status == Status::in_progress_background);
  CHECK(w.report(1).estimated_status_update_delay_ms == 0xffffffff);
  w.world.clock.advance(3s);
  REQUIRE(w.pool.run_one());
  CHECK(w.report(1).transfer_count_blocks == 2);
  CHECK(w.report(1).operation_counter == 1);
  CHECK(w.report(1).estimated_status_update_delay_ms == 9000);  // two blocks in 3 s, six to go
  w.pool.run();
  CHECK(w.report(1).status == Status::completed);
  CHECK(w.report(1).estimated_status_update_delay_ms == 0xfffffffe);
  CHECK(w.report(1).operation_counter == 4);

  CHECK(estimated_delay_ms(1s, 0, 8) == 0xffffffff);
  CHECK(estimated_delay_ms(base::Duration(0), 4, 8) == 0xffffffff);
  CHECK(estimated_delay_ms(1s, 8, 8) == 1);
  CHECK(estimated_delay_ms(1s, 1, 0) == 0xffffffff);
  CHECK(estimated_delay_ms(std::chrono::hours(1000), 1, ~0ull) == 0xfffffffd);
}

TEST_CASE("R12 the work budget is of foreground operations only") {
  for (const bool in_background : {false, true}) {
    CopySettings settings = BackgroundWorld::one_step_a_slice();
    settings.work_budget = 1s;
    BackgroundWorld w(settings);
    REQUIRE(w.write(1, 0, 8, in_background));
    REQUIRE(w.pool.run_one());
    w.world.clock.advance(5s);
    w.pool.run();
    CHECK(w.report(1).status ==
          (in_background ? Status::completed : Status::completed_with_residual));
    CHECK(w.report(1).transfer_count_blocks == (in_background ? 8 : 2));
  }
}

TEST_CASE("background operations take turns: a small one ends between the steps of a huge one") {
  BackgroundWorld w(BackgroundWorld::one_step_a_slice());
  REQUIRE(w.write(1, 0, 32, true));    // 16 steps
  REQUIRE(w.write(2, 100, 4, true));   // 2 steps
  REQUIRE(w.write(3, 110, 4, false));  // waits behind one slice of them only
  CHECK(w.pool.run_one());
  CHECK(w.report(1).transfer_count_blocks == 2);
  CHECK(w.pool.run_one());
  CHECK(w.report(3).transfer_count_blocks == 2);
  for (int slices = 0; slices < 7; ++slices)
    w.pool.run_one();
  CHECK(w.ended == std::vector<std::uint32_t>{3, 2});
  CHECK(w.report(1).transfer_count_blocks <= 8);
  SECTION("it is aborted while it waits for its turn") {
    REQUIRE(w.write(4, 100, 4, true));
    REQUIRE(w.write(5, 110, 4, true));
    bool aborted = false;
    CHECK(w.world.manager.abort(key(2, 4), [&] { aborted = true; }));
    CHECK(aborted);
    CHECK(w.report(4).status == Status::terminated);
    CHECK(w.report(4).completion_status == scsi::Status::task_aborted);
    CHECK_FALSE(w.report(4).sense);
    w.pool.run();
    CHECK(w.report(5).status == Status::completed);
  }
  w.pool.run();
  CHECK(w.report(1).status == Status::completed);
  CHECK(w.destination.read(0, 32) == w.source.read(0, 32));
}

TEST_CASE("of many background operations so many are on the pool at once") {
  CopySettings settings = BackgroundWorld::one_step_a_slice();
  settings.background_slices_at_once = 2;
  BackgroundWorld w(settings);
  for (std::uint32_t id = 0; id < 8; ++id)
    REQUIRE(w.write(id, id * 4, 4, true));
  REQUIRE(w.write(50, 100, 2, false));
  // Two of them, its step, two of them, its end.
  for (int slices = 0; slices < 5; ++slices)
    w.pool.run_one();
  CHECK(w.ended == std::vector<std::uint32_t>{});
  w.pool.run_one();
  CHECK(w.ended == std::vector<std::uint32_t>{50});
  w.pool.run();
  CHECK(w.ended.size() == 9);
}

TEST_CASE("a background operation that fails later has its sense in the record at once") {
  BackgroundWorld w(BackgroundWorld::one_step_a_slice());
  w.destination.faults->fail_write = 2;
  REQUIRE(w.write(1, 0, 8, true));
  w.pool.run();
  CHECK(w.report(1).status == Status::completed_with_errors);
  CHECK(w.report(1).completion_status == scsi::Status::check_condition);
  REQUIRE(w.report(1).sense);
  CHECK(w.report(1).transfer_count_blocks == 2);
  // What can be known before a block moves is refused inside the call.
  CHECK_FALSE(w.write(2, 0, 33, true));
  CHECK(w.ended == std::vector<std::uint32_t>{1, 2});
}

TEST_CASE("7.7 a write under a running copy of a vulnerable token: a true prefix, never new data") {
  for (const std::uint64_t at : {0u, 2u, 7u}) {
    CAPTURE(at);
    BackgroundWorld w(BackgroundWorld::one_step_a_slice());
    const Bytes before = w.source.read(0, 8);
    const Bytes target = w.destination.read(0, 8);
    w.world.manager.populate_token(key(1, 5), {0, point_in_time_change_vulnerable, {range(0, 8)}},
                                   [](CopyOutcome) {});
    w.token = *w.world.manager.report(key(1, 5))->token;
    std::optional<CopyOutcome> outcome;
    w.world.manager.write_using_token(key(2, 1), {false, {}, w.token, {range(0, 8)}},
                                      [&](CopyOutcome ended) { outcome = ended; });
    REQUIRE(w.pool.run_one());
    w.source.write(at, Bytes(512, 0xee));
    w.pool.run();
    CHECK(is_fault(outcome, Kind::stopped_early, 2));
    Bytes expected = target;
    std::copy_n(before.begin(), 2 * 512, expected.begin());
    CHECK(w.destination.read(0, 8) == expected);
    CHECK(is_token_fault(w.world.write(2, w.token, {range(0, 8)}, 0, false, 2),
                         tokens::TokenFault::cancelled));
  }
}
