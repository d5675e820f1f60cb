// RODs in EXTENDED COPY through a nexus (wire reference 4.5, 5.4, 6.4, 6.6, 8.3, 8.4): who may read
// a producer, what is populated and told.
#include "tests/unit/device/rod_world.hpp"

using namespace device;
using namespace device::test;
using Side = scsi::CscdAnswer::Side;
using scsi::SenseKey;

TEST_CASE("8.3 8.4 a ROD is populated from its producer and copied from, block by block") {
  RodWorld world;
  const Bytes data = pattern(64, 512, 1);
  world.fill(0, data);
  CHECK(world
            .xcopy(world.list({0}, {be(2, {{40, 4}, {10, 2}}), bf(2, 20, 1),
                                    segment_02(2, 1, 7, 0, 100), segment_02(2, 1, 2, 3, 200)}))
            .good());
  CHECK(world.content(100, 7, 1) ==
        joined({part(data, 40, 4), part(data, 10, 2), part(data, 20, 1)}));
  CHECK(world.content(200, 2, 1) == joined({part(data, 43, 1), part(data, 10, 1)}));
  // FFFFh as the producer; LUN 2 has blocks of 4096.
  const Bytes large = pattern(4, 4096, 2);
  world.fill(0, large, 2, 4096);
  CHECK(world
            .xcopy(lid1_list(1, 0, {fe({0xffff}), world.naa_of(1)},
                             {bf(0, 1, 2), segment_02(0, 1, 1, 1, 300)}),
                   2)
            .good());
  CHECK(world.content(300, 8, 1) == Bytes(large.begin() + 2 * 4096, large.begin() + 3 * 4096));
}

TEST_CASE("5.4 a point in time ROD is no destination: 05/26/00, and nothing moves") {
  RodWorld world;
  const Bytes before = world.content(0, 8, 1);
  const Bytes list = world.list({0}, {segment_02(0, 1, 8, 16, 0), segment_02(0, 2, 1, 0, 0)});
  check_bad_list(world.xcopy(list), 0x26, 0x00, 16 + 96 + 28 + 6);
  CHECK(world.content(0, 8, 1) == before);
}

TEST_CASE(
    "4.5 R_TOKEN: fetched by RECEIVE ROD TOKEN INFORMATION, one descriptor each, used as any") {
  RodWorld world;
  const Bytes data = pattern(32, 512, 3), other = pattern(8, 512, 4);
  world.fill(0, data);
  world.fill(0, other, 1);
  RodCscd first{1}, second{1};
  first.r_token = second.r_token = true;
  second.producer = 2;
  const Bytes list =
      lid4_list(0x11223344, 0, 0, {world.naa_of(0), world.naa_of(1), fe(first), fe(second)},
                {bf(3, 4, 8), be(4, {{0, 2}, {6, 2}})});
  REQUIRE(world.xcopy(list, 0, 1).good());
  const Answer cut = world.information(0x11223344, 0, 600);
  CHECK(cut.data.size() == 600);
  const Bytes told = world.information(0x11223344, 0, 4096).data;
  REQUIRE(told.size() == 36 + 2 * 514);
  CHECK(Bytes(told.begin(), told.begin() + 36) ==
        joined({hex("00 00 04 24  01 01"),
                {told.begin() + 6, told.begin() + 8},
                hex("FF FF FF FE  00 00 00 00  00 00 00 00 00 00 00 00  00 02 00 00  00 00 00 00"
                    "00 00 04 04")}));
  CHECK(Bytes(told.begin() + 36, told.begin() + 38) == hex("00 03"));
  CHECK(Bytes(told.begin() + 550, told.begin() + 552) == hex("00 04"));
  // All fetched: the record is gone.
  check_illegal(world.information(0x11223344), 0x24, 0x00);

  const Token one(told.begin() + 38, told.begin() + 550), two(told.begin() + 552, told.end());
  world.fill(0, pattern(32, 512, 5));
  CHECK(world.use_token(one, {{500, 8}}, 1).good());
  CHECK(world.content(500, 8, 1) == part(data, 4, 8));
  CHECK(world.use_token(two, {{600, 4}}).good());
  CHECK(world.content(600, 4) == joined({part(other, 0, 2), part(other, 6, 2)}));
}

TEST_CASE("R_TOKEN of a copy that fails leaves no token") {
  RodWorld world;
  RodCscd rod{0};
  rod.r_token = true;
  check_aborted(world.xcopy(world.list(rod, {bf(2, 0, 4), segment_02(2, 1, 4, 1, 0)})), 0x00, 0x00,
                1, 12);
  const Bytes told = world.record(1);
  CHECK(told[5] == 0x02);
  CHECK(base::load_be32(told, 32 + told[13]) == 0);
  CHECK(world.target->copy_manager().token_counters().created == 0);
}

TEST_CASE("8.3 FEh: fields that cannot be obeyed are 05/26/00 in the descriptor") {
  RodWorld world;
  constexpr std::uint16_t at = 16 + 64;
  RodCscd rod{0};
  rod.r_token = true;
  for (const std::uint32_t type : {0x00010000u, 0x00800003u, 0xffff0001u, 0x12345678u}) {
    RodCscd other = rod;
    other.type = type;
    check_bad_list(world.xcopy(world.list(other, {bf(2, 0, 1)})), 0x26, 0x00, at + 8);
  }
  RodCscd any = rod;
  any.type = 0x0080ffff;
  CHECK(world.xcopy(world.list(any, {bf(2, 0, 1)})).good());
  CHECK(base::load_be32(world.record(1), 38) == 0x00800002);  // persistent before all others
  rod.timeout = 3601;                                         // MAXIMUM INACTIVITY TIMEOUT is 3600
  check_bad_list(world.xcopy(world.list(rod, {bf(2, 0, 1)})), 0x26, 0x00, at + 16);
  rod.timeout = 3600;
  CHECK(world.xcopy(world.list(rod, {bf(2, 0, 1)})).good());
  // Nobody could fetch it: LIST ID USAGE 11b.
  Bytes list = world.list(rod, {bf(2, 0, 1)}, 0);
  list[1] = 0x18;
  Answer answer = world.xcopy(list);
  check_illegal(answer, 0x26, 0x00);
  CHECK(answer.sense->field == bit(at + 22, 0));
  list[at + 22] = 0;
  CHECK(world.xcopy(list).good());
}

TEST_CASE("8.3 8.5 a producer is read as any copy source: its segment is told why not") {
  RodWorld world;
  const auto in_list = [](const Answer& answer, std::uint16_t at) {
    CHECK(answer.sense->points_into == scsi::Sense::PointsInto::parameter_list);
    CHECK(answer.sense->field.byte == at);
  };
  constexpr std::uint16_t at = 16 + 64;
  for (const std::uint16_t nowhere : {3, 0x07ff, 0x0800, 0xc000, 2}) {
    const Answer answer =
        world.xcopy(world.list({nowhere}, {segment_02(0, 1, 1, 0, 0), bf(2, 0, 4)}));
    check_sense(answer, SenseKey::copy_aborted, 0x08, 0x04);
    CHECK(answer.sense->segment == 1);
    in_list(answer, at + 4);
  }
  check_aborted(world.xcopy(world.list({0}, {bf(2, 2047, 2)})), 0x00, 0x00, 0, 8);
  check_aborted(world.xcopy(world.list({0}, {be(2, {{0, 4}, {3, 1}})})), 0x26, 0x00, 0, 32);
  check_aborted(world.xcopy(world.list({0}, {bf(7, 0, 1)})), 0x08, 0x04, 0, 6);
  Bytes list = world.list({0}, {bf(2, 0, 1)});
  list[at + 1] = 0x01;
  Answer answer = world.xcopy(list);
  check_sense(answer, SenseKey::copy_aborted, 0x0d, 0x03);
  in_list(answer, at + 1);
  list[at + 1] = 0x00;
  list[at + 30] = 0x10;
  answer = world.xcopy(list);
  check_sense(answer, SenseKey::copy_aborted, 0x26, 0x00);
  in_list(answer, at + 29);
  world.unit(0).medium().stop();
  const Bytes to_other =
      lid1_list(1, 0, {world.naa_of(0), world.naa_of(1), fe({0})}, {bf(2, 0, 1)});
  answer = world.xcopy(to_other, 1);
  check_aborted(answer, 0x0d, 0x01, 0, 6);
  check_answer(answer, Side::source, SenseKey::not_ready, 0x04, 0x02);
}

TEST_CASE("CVE-2020-28374: a producer that the host does not see is not there") {
  RodWorld world;
  const NexusIdentity identity{99, "iqn.host:masked", {world.target->name(), 1, 1}};
  Nexus masked(identity, world.target, {{scsi::Lun{0}, scsi::Lun{0}}},
               WorkerContext{world.home, world.pool, world.buffers});
  world.World::run(masked, cdb_of("00"));
  const Bytes list = world.list({1}, {bf(2, 0, 4), segment_02(2, 0, 4, 0, 0)});
  const Answer answer = world.World::run(masked, xcopy_cdb(0, list.size()), list);
  check_sense(answer, SenseKey::copy_aborted, 0x08, 0x04);
  CHECK(answer.sense->segment == 0);
}

TEST_CASE("8.4 CAT: a part of a block goes to the next segment") {
  RodWorld world;
  const Bytes data = pattern(32, 512, 9);
  world.fill(0, data);
  const std::vector<Bytes> cscds{world.naa_of(0), world.naa_of(2)};
  Bytes first = segment_02(0, 1, 9, 0, 20);
  first[1] = 0x01;
  CHECK(world.xcopy(lid1_list(1, 0, cscds, {first, segment_02(0, 1, 7, 16, 21)})).good());
  CHECK(world.content(20, 2, 2) == joined({part(data, 0, 9), part(data, 16, 7)}));
  // Nobody takes it.
  check_aborted(world.xcopy(lid1_list(1, 0, cscds, {segment_02(0, 1, 8, 0, 30), first})), 0x26,
                0x0a, 1, 10);
}

TEST_CASE("7.5 8.2 G_SENSE: GOOD comes with 0F/00/20, in LID4 and when asked for") {
  XcopyWorld world;
  const auto copy = [&world](std::uint8_t flags, std::uint16_t source) {
    return world.xcopy(lid4_list(5, 0, flags, {world.naa_of(0), world.naa_of(1)},
                                 {segment_02(source, 2, 4, 0, 0)}),
                       0, 1);
  };
  Answer answer = copy(0x02, 1);
  CHECK(answer.status == scsi::Status::good);
  REQUIRE(answer.sense);
  CHECK(answer.sense->key == SenseKey::completed);
  CHECK(answer.sense->additional == scsi::AdditionalSense{0x00, 0x20});
  answer = copy(0x00, 1);
  CHECK(answer.good());
  CHECK_FALSE(answer.sense);
  check_aborted(copy(0x02, 9), 0x08, 0x04, 0, 4);
}

TEST_CASE("6.4 6.6 8Fh and 8.6: F800h, BEh, BFh, FEh, ECPY_INT, MAXIMUM INLINE DATA LENGTH") {
  XcopyWorld world;
  const Bytes page = world.run("12 01 8F 04 00 00").data;
  const auto has = [&page](const Bytes& part) {
    return std::search(page.begin(), page.end(), part.begin(), part.end()) != page.end();
  };
  CHECK(has(hex("00 04 00 1C  00 00 00 00  00 40 00 40  00 00 0F 00  00 00 80 00")));
  CHECK(has(hex("00 08 00 0C  08 02 07 0A  BE BF E4 FE  FF 00 00 00")));
  CHECK(has(hex("00 0C 00 08  00 04 F8 00  FF FF 00 00")));
  CHECK(has(hex("01 08 01 84  00 00 01 80  00 00 00 00  02 00 00 00")));
  CHECK(has(hex("00 80 00 00  83 00 00 00")));
  CHECK(has(hex("00 80 00 01  83 00 00 00")));
  CHECK(has(hex("00 80 00 02  83 00 00 00")));
  CHECK(has(hex("00 80 FF FF  81 00 00 00")));  // a wish: no token has it
  CHECK(has(hex("FF FF 00 01  02 00 00 00")));
  const Bytes told = world.run(short_result_cdb(0x03, 0)).data;
  CHECK(Bytes(told.begin() + 20, told.begin() + 24) == hex("00 00 80 00"));
  CHECK(Bytes(told.begin() + 43, told.end()) == hex("08 02 07 0A BE BF E4 FE FF"));
  // Obeyed: 8000h bytes are taken, one more is 05/26/0B.
  const Bytes list = lid1_list(1, 0, {}, {});
  CHECK(world.xcopy(with_inline(list, Bytes(0x8000))).good());
  check_bad_list(world.xcopy(with_inline(list, Bytes(0x8001))), 0x26, 0x0b, 12);
}

TEST_CASE("6.1 8Fh: without room for a token in inline data neither F800h nor ROD type 0") {
  copymgr::CopyLimits limits;
  limits.extended_copy.maximum_inline_data_bytes = GENERATE(511u, 512u);
  LimitWorld world(limits);
  const Bytes page = world.run("12 01 8F 04 00 00", {}, lun).data;
  const auto has = [&page](const Bytes& part) {
    return std::search(page.begin(), page.end(), part.begin(), part.end()) != page.end();
  };
  const bool room = limits.extended_copy.maximum_inline_data_bytes == 512;
  CHECK(has(hex("00 0C 00 08  00 04 F8 00  FF FF 00 00")) == room);
  CHECK(has(hex("00 0C 00 04  00 02 FF FF")) != room);
  CHECK(has(hex("01 08 01 84  00 00 01 80  00 00 00 00  02 00 00 00")) == room);
  CHECK(has(hex("01 08 01 44  00 00 01 40  00 80 00 00  83 00 00 00")) != room);
}
