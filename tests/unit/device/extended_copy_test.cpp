// EXTENDED COPY through a nexus: who may be named, what is copied, what is refused (wire reference
// section 8, 9.1).
#include "tests/unit/device/xcopy_world.hpp"

using namespace device;
using namespace device::test;
using Side = scsi::CscdAnswer::Side;
using scsi::SenseKey;

namespace {

// A world whose LUN 3 has names that fit into a CSCD descriptor's 20 bytes.
World::Units short_named() {
  scsi::UnitIdentity identity = make_identity(Bytes(16, 0xbb), "iqn.2026-11.io.copymgr:test", {3});
  identity.serial = "SERIAL000003";
  return {{scsi::Lun{3}, std::make_shared<LogicalUnit>(13, identity, memory(unit_bytes),
                                                       UnitShape{}, LogicalUnitLimits{})}};
}

}  // namespace

TEST_CASE("8.10 as VMware does it: LID1, 02h, E4h with NAA, identifier and usage 0") {
  XcopyWorld world;
  const Bytes data = pattern(64, 512, 1);
  world.fill(0, data);
  CHECK(world.xcopy_0_to_1(0, {segment_02(0, 1, 64, 0, 100)}).good());
  CHECK(world.content(100, 64, 1) == data);
  // The same identifier again, at once.
  CHECK(world.xcopy_0_to_1(0, {segment_02(0, 1, 32, 32, 0), segment_02(0, 1, 32, 0, 32)}).good());
  CHECK(world.content(0, 32, 1) == Bytes(data.begin() + 32 * 512, data.end()));
  CHECK(world.content(32, 32, 1) == Bytes(data.begin(), data.begin() + 32 * 512));
}

TEST_CASE("4096-byte blocks; and between blocks of different lengths") {
  XcopyWorld world;
  const Bytes data = pattern(4, 4096, 2);
  world.fill(0, data, 2, 4096);
  CHECK(world.xcopy(lid1_list(1, 0, {world.naa_of(2)}, {segment_02(0, 0, 4, 0, 100)}), 2).good());
  CHECK(world.content(100, 4, 2) == data);
  const std::vector<Bytes> both{world.naa_of(2), world.naa_of(0)};
  CHECK(world.xcopy(lid1_list(1, 0, both, {segment_02(0, 1, 4, 0, 8)})).good());
  CHECK(world.content(8, 32) == data);
  CHECK(world.xcopy(lid1_list(1, 0, both, {segment_02(1, 0, 16, 16, 200)})).good());
  CHECK(world.content(200, 2, 2) == Bytes(data.begin() + 4096, data.begin() + 3 * 4096));
  check_aborted(world.xcopy(lid1_list(1, 0, both, {segment_02(1, 0, 15, 16, 200)})), 0x26, 0x0a, 0,
                10);
  // PAD of the destination: zeros to the end of its block.
  std::vector<Bytes> padding = both;
  padding[0][28] = 0x04;
  CHECK(world.xcopy(lid1_list(1, 0, padding, {segment_02(1, 0, 15, 16, 200)})).good());
  Bytes expected(data.begin() + 4096, data.begin() + 4096 + 15 * 512);
  expected.resize(2 * 4096);
  CHECK(world.content(200, 2, 2) == expected);
}

TEST_CASE("8.3 a unit goes by its NAA, EUI-64, T10 and name designators of page 83h") {
  XcopyWorld world(short_named());
  const Bytes data = pattern(4, 512, 3);
  world.fill(0, data);
  const auto& eui = world.unit(3).identity().eui64;
  const std::string t10 = "COPYMGR SERIAL000003";
  std::uint64_t at = 0;
  for (const Bytes& name :
       {world.naa_of(3), cscd(1, 2, {eui.begin(), eui.end()}), cscd(2, 1, {t10.begin(), t10.end()}),
        cscd(1, 3, {world.unit(3).identity().naa.begin(), world.unit(3).identity().naa.end()},
             0)}) {
    at += 8;
    CHECK(
        world.xcopy(lid1_list(1, 0, {world.naa_of(0), name}, {segment_02(0, 1, 4, 0, at)})).good());
    CHECK(world.content(at, 4, 3) == data);
  }
}

TEST_CASE("8.3 a designator must be the whole of one, of the unit itself") {
  XcopyWorld world;
  const Bytes before = world.content(0, 8, 1);
  const auto refused = [&](std::size_t byte_at, std::uint8_t value) {
    Bytes name = world.naa_of(1);
    name[byte_at] = value;
    check_aborted(
        world.xcopy(lid1_list(1, 0, {world.naa_of(0), name}, {segment_02(0, 1, 8, 0, 0)})), 0x08,
        0x04, 0, 6);
  };
  refused(4, 0x02);  // CODE SET
  refused(5, 0x13);  // ASSOCIATION: target port
  refused(5, 0x02);  // DESIGNATOR TYPE
  refused(7, 15);    // cut
  refused(23, static_cast<std::uint8_t>(world.naa_of(1)[23] ^ 1));
  refused(7, 0);
  refused(1, 0x20);  // NUL
  CHECK(world.content(0, 8, 1) == before);
}

TEST_CASE("CVE-2020-28374: a unit that the host does not see is not there") {
  XcopyWorld world;
  const NexusIdentity identity{99, "iqn.host:masked", {world.target->name(), 1, 1}};
  Nexus masked(identity, world.target, {{scsi::Lun{0}, scsi::Lun{0}}},
               WorkerContext{world.home, world.pool, world.buffers});
  world.World::run(masked, cdb_of("00"));
  world.fill(0, pattern(8, 512, 4), 1);
  const Bytes before_0 = world.content(0, 8), before_1 = world.content(0, 8, 1);
  Bytes nowhere = world.naa_of(1);
  nowhere[20] ^= 0xff;
  for (const Bytes& hidden : {world.naa_of(1), nowhere}) {
    const Bytes read = lid1_list(1, 0, {world.naa_of(0), hidden}, {segment_02(1, 0, 8, 0, 0)});
    check_aborted(world.World::run(masked, xcopy_cdb(0, read.size()), read), 0x08, 0x04, 0, 4);
    const Bytes written = lid1_list(1, 0, {world.naa_of(0), hidden}, {segment_02(0, 1, 8, 0, 0)});
    check_aborted(world.World::run(masked, xcopy_cdb(0, written.size()), written), 0x08, 0x04, 0,
                  6);
  }
  CHECK(world.content(0, 8) == before_0);
  CHECK(world.content(0, 8, 1) == before_1);
}

TEST_CASE("8.3 FFFFh is the unit that got the command") {
  XcopyWorld world;
  const Bytes data = pattern(4, 512, 5);
  world.fill(0, data, 1);
  CHECK(world.xcopy(lid1_list(1, 0, {}, {segment_02(0xffff, 0xffff, 4, 0, 20)}), 1).good());
  CHECK(world.content(20, 4, 1) == data);
}

TEST_CASE("8.3 8.5 identifiers that lead nowhere, after segments that are done") {
  XcopyWorld world;
  const Bytes data = pattern(4, 512, 6);
  world.fill(0, data);
  for (const std::uint16_t bad : {2, 0x07ff, 0x0800, 0xc000, 0xc001, 0xf800, 0xfffe}) {
    check_aborted(world.xcopy_0_to_1(1, {segment_02(0, 1, 4, 0, 8), segment_02(bad, 1, 4, 0, 0)}),
                  0x08, 0x04, 1, 4);
    check_aborted(world.xcopy_0_to_1(1, {segment_02(0, bad, 4, 0, 0)}), 0x08, 0x04, 0, 6);
  }
  CHECK(world.content(8, 4, 1) == data);
}

TEST_CASE("8.3 an extension descriptor may stand in the list and cannot be named") {
  XcopyWorld world;
  Bytes extension(32);
  extension[0] = 0xff;
  const std::vector<Bytes> cscds{world.naa_of(0), extension, world.naa_of(1)};
  CHECK(world.xcopy(lid1_list(1, 0, cscds, {segment_02(0, 2, 4, 0, 0)})).good());
  check_aborted(world.xcopy(lid1_list(1, 0, cscds, {segment_02(0, 1, 4, 0, 0)})), 0x26, 0x00, 0, 6);
}

TEST_CASE("8.5 PDT mismatch is 0A/0D/03, a wrong DISK BLOCK LENGTH 0A/26/00, both in the list") {
  XcopyWorld world;
  std::vector<Bytes> cscds{world.naa_of(0), world.naa_of(1)};
  cscds[1][1] = 0x01;
  Answer answer = world.xcopy(lid1_list(1, 0, cscds, {segment_02(0, 1, 4, 0, 0)}));
  check_aborted(answer, 0x0d, 0x03, 0, std::nullopt);
  CHECK(answer.sense->points_into == scsi::Sense::PointsInto::parameter_list);
  CHECK(answer.sense->field == bit(16 + 32 + 1, 4));
  cscds[1][1] = 0;
  cscds[1][30] = 0x10;
  answer = world.xcopy(lid1_list(1, 0, cscds, {segment_02(0, 1, 4, 0, 0)}));
  check_aborted(answer, 0x26, 0x00, 0, std::nullopt);
  CHECK(answer.sense->field == byte(16 + 32 + 29));
}

TEST_CASE("8.5 blocks that do not exist: the CSCD's 05/21/00 is forwarded") {
  XcopyWorld world;
  Answer answer = world.xcopy_0_to_1(1, {segment_02(0, 1, 4, 2045, 0)});
  check_aborted(answer, 0x00, 0x00, 0, 12);
  check_answer(answer, Side::source, SenseKey::illegal_request, 0x21, 0x00);
  CHECK(answer.sense->cscd_answer->information == 2048);
  CHECK_FALSE(answer.sense->information);
  answer = world.xcopy_0_to_1(1, {segment_02(0, 1, 4, 0, 5000)});
  check_aborted(answer, 0x00, 0x00, 0, 20);
  check_answer(answer, Side::destination, SenseKey::illegal_request, 0x21, 0x00);
  CHECK(answer.sense->cscd_answer->information == 5000);
}

TEST_CASE("a stopped unit is not ready to be copied, and says so when verified") {
  XcopyWorld world;
  world.unit(1).medium().stop();
  Answer answer = world.xcopy_0_to_1(1, {segment_02(0, 1, 4, 0, 0)});
  check_aborted(answer, 0x0d, 0x01, 0, 6);
  check_answer(answer, Side::destination, SenseKey::not_ready, 0x04, 0x02);
  const Bytes verify = hex("07 00 00 08  00 01 00 00  01 00 00 00");
  answer = world.xcopy_0_to_1(1, {verify});
  check_aborted(answer, 0x0d, 0x01, 0, 4);
  check_answer(answer, Side::source, SenseKey::not_ready, 0x04, 0x02);
  CHECK(world.xcopy_0_to_1(1, {hex("07 00 00 08  00 01 00 00  00 00 00 00")}).good());
  REQUIRE(world.unit(1).medium().start());
  CHECK(world.xcopy_0_to_1(1, {verify}).good());
  check_aborted(world.xcopy_0_to_1(1, {hex("07 00 00 08  00 05 00 00  00 00 00 00")}), 0x08, 0x04,
                0, 4);
}

TEST_CASE("8.4 0Ah copies bytes, and leaves those beside them") {
  XcopyWorld world;
  const Bytes data = pattern(4, 512, 7);
  world.fill(0, data);
  const Bytes before = world.content(8, 2, 1);
  // 600 bytes from byte 10 of LBA 1 to byte 100 of LBA 8.
  CHECK(world
            .xcopy_0_to_1(1, {hex("0A 00 00 1C  00 00 00 01  00 00 02 58  00 00 00 00 00 00 00 01"
                                  "00 00 00 00 00 00 00 08  00 0A 00 64")})
            .good());
  Bytes expected = before;
  std::copy_n(data.begin() + 522, 600, expected.begin() + 100);
  CHECK(world.content(8, 2, 1) == expected);
}

TEST_CASE("9.1 a reservation of either CSCD holds against the host that asks") {
  XcopyWorld world;
  const auto other = world.login("iqn.host:b");
  const Bytes before = world.content(0, 4, 1);
  const auto reserve = [&](std::uint16_t lun, std::uint8_t type) {
    Bytes keys(24);
    keys[15] = 0x0b;
    REQUIRE(world.World::run(*other, cdb_of("5F 00 00 00 00 00 00 00 18"), keys, lun).good());
    std::swap(keys[7], keys[15]);
    scsi::CdbBytes cdb = cdb_of("5F 01 00 00 00 00 00 00 18");
    cdb[2] = type;
    REQUIRE(world.World::run(*other, cdb, keys, lun).good());
  };
  const auto copy = [&](std::uint16_t source, std::uint16_t destination) {
    return world.xcopy(lid1_list(1, 0, {world.naa_of(source), world.naa_of(destination)},
                                 {segment_02(0, 1, 4, 0, 0)}),
                       0);
  };
  SECTION("write exclusive keeps it from being written") {
    reserve(1, 1);
    const Answer answer = copy(0, 1);
    check_aborted(answer, 0x0d, 0x01, 0, 6);
    REQUIRE(answer.sense->cscd_answer);
    CHECK(answer.sense->cscd_answer->status == scsi::Status::reservation_conflict);
    CHECK(answer.sense->cscd_answer->side == Side::destination);
    CHECK(world.content(0, 4, 1) == before);
    CHECK(copy(1, 0).good());
  }
  SECTION("exclusive access from being read too") {
    reserve(1, 3);
    check_aborted(copy(1, 0), 0x0d, 0x01, 0, 4);
  }
  SECTION("and the unit that gets the command from being asked") {
    reserve(0, 1);
    CHECK(copy(1, 1).status == scsi::Status::reservation_conflict);
  }
}

TEST_CASE("8.5 the unit's own limits are what it keeps to and what it tells") {
  LogicalUnitLimits limits;
  limits.copies.extended_copy = {1, 2, 100, 1024, 512};
  XcopyWorld world({{scsi::Lun{3}, make_unit(13, memory(unit_bytes), 512, limits)}});
  const Bytes own = world.naa_of(3);
  const Bytes one = segment_02(0, 0, 2, 0, 8);
  const auto copy = [&](const std::vector<Bytes>& cscds, const std::vector<Bytes>& segments) {
    return world.xcopy(lid1_list(1, 0, cscds, segments), 3);
  };
  CHECK(copy({own}, {one, one}).good());
  check_bad_list(copy({own, own}, {one}), 0x26, 0x06, 2);
  const Bytes verify = hex("07 00 00 08  FF FF 00 00  00 00 00 00");
  check_bad_list(copy({own}, {verify, verify, verify}), 0x26, 0x08, 8);
  check_illegal(copy({own}, {one, one, one}), 0x1a, 0x00);
  check_aborted(copy({own}, {segment_02(0, 0, 3, 0, 8)}), 0x26, 0x00, 0, 10);

  const Bytes told = world.run(short_result_cdb(0x03, 0), {}, 3).data;
  CHECK(told == hex("00 00 00 30  01 00 00 00  00 01 00 02  00 00 00 64  00 00 04 00  00 00 02 00"
                    "00 00 00 00  00 00 00 00  00 00 00 FF  FF 00 00 00  00 00 00 08"
                    "02 07 0A BE BF E4 FE FF"));
  const Bytes page = world.run("12 01 8F 04 00 00", {}, 3).data;
  const auto has = [&page](const Bytes& part) {
    return std::search(page.begin(), page.end(), part.begin(), part.end()) != page.end();
  };
  CHECK(has(hex("00 01 00 14  10 83 05 00 01 10 11 1C 84 07 00 01 03 04 05 07 08 00 00 00")));
  CHECK(has(hex("00 04 00 1C  00 00 00 00  00 01 00 02  00 00 00 64  00 00 02 00")));
  CHECK(has(hex("00 08 00 0C  08 02 07 0A  BE BF E4 FE  FF 00 00 00")));
  CHECK(has(hex("00 0C 00 08  00 04 F8 00  FF FF 00 00")));
  CHECK(has(hex("80 01 00 20  00 00 00 FF  00 00 00 FF  00 00 04 00  00 00")));
}

TEST_CASE("a list length of 0 does nothing; a list that is no list changes nothing") {
  XcopyWorld world;
  CHECK(world.run(xcopy_cdb(0, 0)).good());
  CHECK(world.run(xcopy_cdb(1, 0)).good());
  check_illegal(world.xcopy(Bytes(15)), 0x1a, 0x00);
  check_illegal(world.xcopy(Bytes(47), 0, 1), 0x1a, 0x00);
  check_bad_cdb(world.run("83 00 01 00 00 00 00 00 00 00 00 00 00 10 00 00", Bytes(16)), bit(2, 0));
}
