// Every limit of copies: what VPD page 8Fh, RECEIVE COPY OPERATING PARAMETERS and REPORT SUPPORTED
// OPERATION CODES tell of it is what commands are held to, one more refused and just that accepted.
#include <functional>

#include "tests/unit/device/limit_world.hpp"

using namespace device;
using namespace device::test;

namespace {

std::string outcome_of(const Answer& answer) {
  return answer.sense ? scsi::to_text(*answer.sense) : "";
}

// A page's number, and the two commands around it.
struct Walk {
  const char* name;
  std::function<void(copymgr::CopyLimits&)> set;
  std::function<std::vector<std::uint64_t>(LimitWorld&)> told;  // everywhere that it is
  std::uint64_t expected;
  std::function<Answer(LimitWorld&, bool more)> command;
  scsi::AdditionalSense refusal;
};

const std::vector<Walk> walks{
    {"MAXIMUM RANGE DESCRIPTORS",
     [](auto& l) { l.maximum_range_descriptors = 5; },
     [](auto& w) { return std::vector{at(w.descriptor(0x0000), 10, 2)}; },
     5,
     [](auto& w, bool more) { return w.populate_ranges(more ? 6 : 5); },
     {0x26, 0x08}},
    {"MAXIMUM INACTIVITY TIMEOUT",
     [](auto& l) { l.maximum_inactivity_timeout_seconds = 777; },
     [](auto& w) {
       return std::vector{at(w.descriptor(0x0000), 12, 4), at(w.descriptor(0x0106), 24, 4)};
     },
     777,
     [](auto& w, bool more) { return w.populate_ranges(1, 1, more ? 778 : 777); },
     {0x26, 0x00}},
    {"MAXIMUM TOKEN TRANSFER SIZE",
     [](auto& l) { l.maximum_token_transfer = base::ByteCount(3 * 512); },
     [](auto& w) {
       return std::vector{at(w.descriptor(0x0000), 20, 8), at(w.descriptor(0x0106), 56, 8) / 512};
     },
     3,
     [](auto& w, bool more) { return w.populate_ranges(1, more ? 4 : 3); },
     {0x26, 0x00}},
    {"MAXIMUM TOKEN TRANSFER SIZE of several ranges",
     [](auto& l) { l.maximum_token_transfer = base::ByteCount(6 * 512); },
     [](auto& w) { return std::vector{at(w.descriptor(0x0000), 20, 8)}; },
     6,
     [](auto& w, bool more) { return w.populate_ranges(more ? 4 : 3, 2); },
     {0x26, 0x00}},
    {"MAXIMUM CSCD DESCRIPTOR COUNT",
     [](auto& l) { l.extended_copy.maximum_cscd_descriptors = 3; },
     [](auto& w) {
       return std::vector{at(w.descriptor(0x0004), 8, 2), at(w.operating_parameters(), 8, 2)};
     },
     3,
     [](auto& w, bool more) { return w.xcopy_of(more ? 4 : 3, 1); },
     {0x26, 0x06}},
    {"MAXIMUM SEGMENT DESCRIPTOR COUNT",
     [](auto& l) { l.extended_copy.maximum_segment_descriptors = 7; },
     [](auto& w) {
       return std::vector{at(w.descriptor(0x0004), 10, 2), at(w.operating_parameters(), 10, 2)};
     },
     7,
     [](auto& w, bool more) { return w.xcopy_of(1, more ? 8 : 7); },
     {0x26, 0x08}},
    {"MAXIMUM DESCRIPTOR LIST LENGTH",
     [](auto& l) { l.extended_copy.maximum_descriptor_list_bytes = 32 + 2 * 28; },
     [](auto& w) {
       return std::vector{at(w.descriptor(0x0004), 12, 4), at(w.operating_parameters(), 12, 4)};
     },
     32 + 2 * 28,
     [](auto& w, bool more) { return w.xcopy_of(1, more ? 3 : 2); },
     {0x1a, 0x00}},
    {"MAXIMUM INLINE DATA LENGTH",
     [](auto& l) { l.extended_copy.maximum_inline_data_bytes = 9; },
     [](auto& w) {
       return std::vector{at(w.descriptor(0x0004), 16, 4), at(w.operating_parameters(), 20, 4)};
     },
     9,
     [](auto& w, bool more) { return w.xcopy_of(1, 1, 1, more ? 10 : 9); },
     {0x26, 0x0b}},
    {"MAXIMUM SEGMENT LENGTH",
     [](auto& l) { l.extended_copy.maximum_segment_bytes = 11 * 512; },
     [](auto& w) {
       return std::vector{at(w.descriptor(0x8001), 12, 4), at(w.operating_parameters(), 16, 4)};
     },
     11 * 512,
     [](auto& w, bool more) { return w.xcopy_of(1, 1, more ? 12 : 11); },
     {0x26, 0x00}},
};

}  // namespace

TEST_CASE("each limit is told, kept to and refused beyond, from one value") {
  for (const Walk& walk : walks) {
    INFO(walk.name);
    copymgr::CopyLimits limits;
    walk.set(limits);
    LimitWorld world(limits);
    for (const std::uint64_t told : walk.told(world))
      CHECK(told == walk.expected);
    const Answer within = walk.command(world, false);
    INFO(outcome_of(within));
    CHECK(within.good());
    const Answer beyond = walk.command(world, true);
    INFO(outcome_of(beyond));
    REQUIRE(beyond.sense);
    CHECK(beyond.sense->additional == walk.refusal);
    CHECK(walk.command(world, false).good());
  }
}

TEST_CASE("each limit that changes is told, kept to and refused beyond by who is logged in") {
  const LogicalUnitLimits defaults;
  for (const Walk& walk : walks) {
    INFO(walk.name);
    LimitWorld world(defaults.copies);
    const auto change_to = [&world](const copymgr::CopyLimits& limits) {
      world.target->limit_copies({lun}, limits, world.home);
      check_sense(world.run("00 00 00 00 00 00", {}, lun), scsi::SenseKey::unit_attention, 0x3f,
                  0x03);
    };
    CHECK(walk.command(world, true).good());
    copymgr::CopyLimits limits = defaults.copies;
    walk.set(limits);
    change_to(limits);
    for (const std::uint64_t told : walk.told(world))
      CHECK(told == walk.expected);
    CHECK(walk.command(world, false).good());
    const Answer beyond = walk.command(world, true);
    REQUIRE(beyond.sense);
    CHECK(beyond.sense->additional == walk.refusal);
    change_to(defaults.copies);
    CHECK(walk.command(world, true).good());
  }
}

TEST_CASE("DEFAULT INACTIVITY TIMEOUT and OPTIMAL TRANSFER COUNT") {
  copymgr::CopyLimits limits;
  limits.default_inactivity_timeout_seconds = 123;
  limits.optimal_transfer = base::ByteCount(5 * 512);
  LimitWorld world(limits);
  CHECK(at(world.descriptor(0x0000), 16, 4) == 123);
  CHECK(at(world.descriptor(0x0000), 28, 8) == 5);
  CHECK(at(world.descriptor(0x0106), 64, 8) == 5 * 512);  // bytes 16-23 of its entry at 48
  const Token kept = world.make_token({{0, 8}}, lun), lost = world.make_token({{0, 8}}, lun);
  world.clock.advance(122s);
  CHECK(world.use_token(kept, {{100, 8}}, lun).good());
  world.clock.advance(2s);
  check_bad_list(world.use_token(lost, {{100, 8}}, lun), 0x23, 0x07, 16);
}

TEST_CASE("MINIMUM and MAXIMUM TOKEN LIFETIME: however much a token is used") {
  copymgr::CopyLimits limits;
  limits.minimum_token_lifetime_seconds = 30;
  limits.maximum_token_lifetime_seconds = 100;
  LimitWorld world(limits);
  CHECK(at(world.descriptor(0x0106), 16, 4) == 30);
  CHECK(at(world.descriptor(0x0106), 20, 4) == 100);
  const Token token = world.make_token({{0, 8}}, lun);
  for (int use = 0; use < 2; ++use) {
    world.clock.advance(49s);
    CHECK(world.use_token(token, {{100, 8}}, lun).good());
  }
  world.clock.advance(3s);
  check_bad_list(world.use_token(token, {{100, 8}}, lun), 0x23, 0x07, 16);
  LimitWorld endless({});
  CHECK(at(endless.descriptor(0x0106), 20, 4) == 0xffffffff);
}

TEST_CASE("the tokens of a unit: beyond its limit its own least recently used one is revoked") {
  copymgr::CopyLimits limits;
  limits.maximum_tokens = 3;
  LimitWorld world(limits);
  CHECK(at(world.descriptor(0x0000), 6, 4) == 3);  // "CM" and the number, for copymgr info
  const Token elsewhere = world.make_token({{0, 8}}, 0);
  std::vector<Token> tokens;
  for (int i = 0; i < 3; ++i)
    tokens.push_back(world.make_token({{0, 8}}, lun));
  for (const Token& token : tokens)
    CHECK(world.use_token(token, {{100, 8}}, lun).good());
  world.make_token({{0, 8}}, lun);
  check_bad_list(world.use_token(tokens[0], {{100, 8}}, lun), 0x23, 0x06, 16);
  CHECK(world.use_token(tokens[1], {{100, 8}}, lun).good());
  CHECK(world.use_token(elsewhere, {{100, 8}}, lun).good());
}

TEST_CASE("results kept for a session: beyond the limit the oldest of this unit goes") {
  copymgr::CopyLimits limits;
  limits.list_identifiers = 3;
  LimitWorld world(limits);
  REQUIRE(world.populate(1, populate_list({{0, 8}}), 0).good());
  for (std::uint32_t id = 1; id <= 3; ++id)
    REQUIRE(world.populate(id, populate_list({{0, 8}}), lun).good());
  CHECK(world.run(result_cdb(0x05, 1), {}, lun).good());
  // A refusal is a result as well (R8).
  CHECK_FALSE(world.populate(4, populate_list({{1u << 20, 8}}), lun).good());
  check_bad_cdb(world.run(result_cdb(0x05, 1), {}, lun), byte(2));
  for (std::uint32_t id = 2; id <= 4; ++id)
    CHECK(world.run(result_cdb(0x05, id), {}, lun).good());
  CHECK(world.run(result_cdb(0x05, 1), {}, 0).good());
}

namespace {

// Runs what is posted when it is told to.
class LaterPool final : public base::Executor {
 public:
  void post(base::Work work) override { queue.push_back(std::move(work)); }
  void run() {
    while (!queue.empty()) {
      base::Work work = std::move(queue.front());
      queue.erase(queue.begin());
      work();
    }
  }
  std::vector<base::Work> queue;
};

struct Running : LimitWorld {
  explicit Running(const copymgr::CopyLimits& limits) : LimitWorld(limits, {}, &pool_later) {}
  // A WRITE USING TOKEN of zeros, which waits for the pool.
  void begin(std::uint32_t id, std::uint16_t where = lun) {
    const Bytes list = write_list(zero_token(), {{0, 8}});
    commands.push_back(std::make_unique<Command>());
    start(*commands.back(), *nexus, token_cdb(0x11, id, list.size()), list,
          scsi::encode_lun({where}));
  }
  // An EXTENDED COPY without a list identifier.
  void begin_unidentified() {
    const Bytes list = lid1_list(0, 0x18, {naa_of(lun)}, {segment_02(0, 0, 8, 0, 100)});
    commands.push_back(std::make_unique<Command>());
    start(*commands.back(), *nexus, xcopy_cdb(0, list.size()), list, scsi::encode_lun({lun}));
  }
  bool waits() const { return commands.back()->owner.finished == 0; }
  bool is_refused() const {
    const Answer& answer = commands.back()->owner.answer;
    return !waits() && answer.sense &&
           answer.sense->additional == scsi::AdditionalSense{0x55, 0x03};
  }

  LaterPool pool_later;
  std::vector<std::unique_ptr<Command>> commands;
};

}  // namespace

TEST_CASE("TOTAL CONCURRENT COPIES, and those of them with an identifier, are a unit's own") {
  copymgr::CopyLimits limits;
  limits.total_concurrent_copies = 3;
  limits.maximum_identified_concurrent_copies = 2;
  Running world(limits);
  CHECK(at(world.descriptor(0x8001), 4, 4) == 3);
  CHECK(at(world.descriptor(0x8001), 8, 4) == 2);
  CHECK(at(world.operating_parameters(), 34, 2) == 3);
  CHECK(at(world.operating_parameters(), 36, 1) == 2);
  for (int round = 0; round < 2; ++round) {
    world.begin(1);
    CHECK(world.waits());
    world.begin(2);
    CHECK(world.waits());
    world.begin(3);
    CHECK(world.is_refused());
    world.begin(3, 0);  // another unit has room
    CHECK(world.waits());
    world.begin_unidentified();
    CHECK(world.waits());
    world.begin_unidentified();
    CHECK(world.is_refused());
    world.pool_later.run();
    CHECK(world.commands[0]->owner.finished == 1);
  }
}

// 13.5: MAXIMUM BYTES IN BLOCK ROD is always reported, so a range may be longer than what one READ
// or WRITE may move.
TEST_CASE("the Block Limits page bounds no token command") {
  for (const std::uint64_t most : {std::uint64_t{0}, std::uint64_t{512} * 1024}) {
    LogicalUnitLimits limits;
    limits.maximum_transfer = base::ByteCount(16 * 512);
    limits.copies.maximum_token_transfer = base::ByteCount(most);
    CopyWorld world({{scsi::Lun{lun}, make_unit(13, memory(unit_bytes), 512, limits)}});
    CHECK(at(world.run("12 01 B0 00 FF 00", {}, lun).data, 8, 4) == 16);
    CHECK_FALSE(world.run(read_16(0, 17), {}, lun).good());
    const Token token = world.make_token({{0, 1000}}, lun);
    CHECK(world.use_token(token, {{1000, 1000}}, lun).good());
  }
  CHECK(at(LimitWorld({}).descriptor(0x0106), 56, 8) == 256u << 20);
  copymgr::CopyLimits none;
  none.maximum_token_transfer = {};
  CHECK(at(LimitWorld(none).descriptor(0x0106), 56, 8) == ~std::uint64_t{0});
  CHECK(at(LimitWorld(none).descriptor(0x0000), 20, 8) == 0);
}
