// Limits of copies that change while hosts use the unit: who is told, what is told next, what the
// next command is held to, and what becomes of those that have begun.
#include "scsi/third_party_copy_page.hpp"
#include "tests/unit/device/limit_world.hpp"

using namespace device;
using namespace device::test;

namespace {

const char* const ready = "00 00 00 00 00 00";

struct ChangeWorld : LimitWorld {
  explicit ChangeWorld(base::Executor* other_pool = nullptr)
      : LimitWorld({}, {}, other_pool), other(login("iqn.host:b")) {}
  void limit(const std::function<void(copymgr::CopyLimits&)>& set) {
    copymgr::CopyLimits limits;
    set(limits);
    target->limit_copies({lun}, limits, home);
  }
  // The attention, if there is one, is told to another command.
  void limit_unheard(const std::function<void(copymgr::CopyLimits&)>& set) {
    limit(set);
    World::run(*nexus, cdb_of(ready), {}, lun);
  }
  void take_attention(Nexus& of) {
    check_sense(World::run(of, cdb_of(ready), {}, lun), scsi::SenseKey::unit_attention, 0x3f, 0x03);
  }
  void take_attentions() {
    take_attention(*nexus);
    take_attention(*other);
  }
  bool is_ready(Nexus& of, std::uint16_t at = lun) {
    return World::run(of, cdb_of(ready), {}, at).good();
  }
  Bytes supported_pages() { return run("12 01 00 00 FF 00", {}, lun).data; }

  std::unique_ptr<Nexus> other;
};

bool lists_copy_page(const Bytes& pages) {
  return std::find(pages.begin() + 4, pages.end(), 0x8f) != pages.end();
}

}  // namespace

TEST_CASE("every nexus hears once that INQUIRY tells something else, and of no other unit") {
  ChangeWorld world;
  world.limit([](auto& l) { l.maximum_range_descriptors = 5; });
  world.limit([](auto& l) { l.maximum_range_descriptors = 6; });
  CHECK(world.is_ready(*world.nexus, 0));
  CHECK(world.is_ready(*world.other, 1));
  // INQUIRY passes by, and tells it already.
  CHECK(at(world.descriptor(0x0000), 10, 2) == 6);
  world.take_attentions();
  CHECK(world.is_ready(*world.nexus));
  CHECK(world.is_ready(*world.other));
  world.limit([](auto& l) { l.maximum_range_descriptors = 6; });  // as it is
  CHECK(world.is_ready(*world.nexus));
  const auto late = world.fresh_login("iqn.host:c");
  check_sense(world.World::run(*late, cdb_of(ready), {}, lun), scsi::SenseKey::unit_attention, 0x29,
              0x00);
  CHECK(world.is_ready(*late));
}

TEST_CASE("what INQUIRY does not tell changes without a word, for tokens that are there too") {
  ChangeWorld world;
  const Token token = world.make_token({{0, 8}}, lun);
  const Bytes list = write_list(token, {{100, 8}});
  const auto used_by_other = [&](std::uint32_t id) {
    return world.World::run(*world.other, token_cdb(0x11, id, list.size()), list);
  };
  CHECK(used_by_other(1).good());
  world.limit([](auto& l) { l.token_use = copymgr::TokenUse::same_initiator; });
  CHECK(world.is_ready(*world.nexus));
  CHECK(world.is_ready(*world.other));
  CHECK_FALSE(used_by_other(2).good());
  CHECK(world.use_token(token, {{100, 8}}).good());
  world.limit([](auto&) {});
  CHECK(used_by_other(3).good());
}

TEST_CASE("page 8Fh and its commands come and go") {
  ChangeWorld world;
  REQUIRE(lists_copy_page(world.supported_pages()));
  const auto third_party = [&] { return world.run("12 00 00 00 24 00", {}, lun).data.at(5) & 8; };
  CHECK(third_party() != 0);
  world.limit([](auto& l) {
    for (const scsi::CdbLayout* each :
         {&scsi::extended_copy::lid1_layout, &scsi::extended_copy::lid4_layout,
          &scsi::populate_token::layout, &scsi::write_using_token::layout})
      l.service_actions.withdraw(*each);
  });
  world.take_attentions();
  CHECK_FALSE(lists_copy_page(world.supported_pages()));
  CHECK(third_party() == 0);
  check_bad_cdb(world.run("12 01 8F 04 00 00", {}, lun), byte(2));
  check_illegal(world.populate_ranges(1), 0x24, 0x00);
  CHECK(world.populate(1, populate_list({{0, 8}}), 0).good());  // another unit
  world.limit([](auto&) {});
  world.take_attentions();
  CHECK(lists_copy_page(world.supported_pages()));
  CHECK(third_party() != 0);
  CHECK(world.populate_ranges(1).good());
}

// The data of a command is asked for when it comes, and its limits are those of when it runs.
TEST_CASE("a command whose limits change while its data comes runs with all of it or not at all") {
  ChangeWorld world;
  const Bytes list = populate_list({{0, 8}});
  const auto with_change = [&](const scsi::CdbBytes& cdb, const Bytes& data,
                               const std::function<void(copymgr::CopyLimits&)>& before,
                               const std::function<void(copymgr::CopyLimits&)>& after) {
    world.limit_unheard(before);
    Command command;
    Task& task = command.task;
    task.owner = &command.owner;
    task.lun_field = scsi::encode_lun({lun});
    task.cdb = cdb;
    const std::size_t wanted =
        std::min<std::size_t>(world.nexus->data_out_wanted(task).value, data.size());
    task.data_out = world.buffers.take(wanted);
    std::copy_n(data.begin(), wanted, task.data_out.span().begin());
    world.limit_unheard(after);
    world.nexus->execute(task);
    REQUIRE(command.owner.finished == 1);
    return command.owner.answer;
  };
  const auto withdrawn = [](auto& l) { l.service_actions.withdraw(scsi::populate_token::layout); };
  const auto all = [](auto&) {};
  const auto two = [](auto& l) { l.extended_copy.maximum_segment_descriptors = 2; };
  const auto cdb = token_cdb(0x10, 7, list.size());
  check_illegal(with_change(cdb, list, withdrawn, all), 0x1a, 0x00);
  check_illegal(with_change(cdb, list, all, withdrawn), 0x24, 0x00);
  const std::vector<Bytes> segments(3, segment_02(0, 0, 8, 0, 100));
  const Bytes copies = lid1_list(9, 0, {world.naa_of(lun)}, segments);
  const auto xcopy = xcopy_cdb(0, copies.size());
  check_illegal(with_change(xcopy, copies, all, two), 0x26, 0x08);
  CHECK(with_change(xcopy, copies, two, all).good());
}

TEST_CASE("what has begun goes on under the limits that it met, and counts for the next") {
  base::ManualExecutor pool;
  ChangeWorld world(&pool);
  const Bytes list = write_list(zero_token(), {{0, 8}});
  Command first, second, third;
  world.start(first, *world.nexus, token_cdb(0x11, 1, list.size()), list, scsi::encode_lun({lun}));
  REQUIRE(first.owner.finished == 0);
  world.limit([](auto& l) {
    l.rod_types = {scsi::RodType::point_in_time_default};
    l.maximum_token_transfer = base::ByteCount(4 * 512);
    l.total_concurrent_copies = l.maximum_identified_concurrent_copies = 1;
  });
  world.take_attentions();
  const Bytes shorter = write_list(zero_token(), {{0, 4}});
  world.start(second, *world.nexus, token_cdb(0x11, 2, shorter.size()), shorter,
              scsi::encode_lun({lun}));
  REQUIRE(second.owner.finished == 1);
  check_sense(second.owner.answer, scsi::SenseKey::aborted_command, 0x55, 0x03);
  CHECK(pool.run() != 0);
  REQUIRE(first.owner.finished == 1);
  CHECK(first.owner.answer.good());
  world.start(third, *world.nexus, token_cdb(0x11, 3, shorter.size()), shorter,
              scsi::encode_lun({lun}));
  REQUIRE(third.owner.finished == 1);
  check_illegal(third.owner.answer, 0x23, 0x01);
}

TEST_CASE("limits that change while a unit is erased hold when it is back") {
  base::ManualExecutor pool;
  ChangeWorld world(&pool);
  Command sanitize, populate;
  // SANITIZE, block erase, IMMED.
  world.start(sanitize, *world.nexus, cdb_of("48 82 00 00 00 00 00 00 00 00"), {},
              scsi::encode_lun({lun}));
  REQUIRE(pool.run_one());
  REQUIRE_FALSE(world.unit(lun).operation().idle());
  world.limit([](auto& l) {
    l.rod_types = {scsi::RodType::point_in_time_persistent};
    l.maximum_range_descriptors = 3;
  });
  pool.run();
  REQUIRE(world.unit(lun).operation().idle());
  world.take_attentions();
  const Bytes list = populate_list({{0, 8}});
  world.start(populate, *world.nexus, token_cdb(0x10, 5, list.size()), list,
              scsi::encode_lun({lun}));
  pool.run();
  REQUIRE(populate.owner.answer.good());
  const Bytes record = world.record(5, lun);
  REQUIRE(record.size() == 550);
  CHECK(base::load_be32(record, 38) == 0x00800002);  // ROD TYPE: persistent
}
