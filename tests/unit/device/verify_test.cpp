// VERIFY, WRITE AND VERIFY, PRE-FETCH and READ DEFECT DATA through the device server.
#include "tests/unit/device/device_world.hpp"

using namespace device;
using namespace device::test;

namespace {

// One of the three lengths of VERIFY and WRITE AND VERIFY.
struct Form {
  std::string_view name;
  std::uint8_t verify, write_and_verify;
  std::size_t lba_bytes, length_at, length_bytes;
};
const Form forms[] = {
    {"(10)", 0x2f, 0x2e, 4, 7, 2}, {"(12)", 0xaf, 0xae, 4, 6, 4}, {"(16)", 0x8f, 0x8e, 8, 10, 4}};

scsi::CdbBytes make(const Form& form, std::uint8_t opcode, unsigned bytchk, std::uint64_t lba,
                    std::uint64_t blocks) {
  scsi::CdbBytes cdb{opcode, static_cast<std::uint8_t>(bytchk << 1)};
  put(cdb, 2, form.lba_bytes, lba);
  put(cdb, form.length_at, form.length_bytes, blocks);
  return cdb;
}

void check_miscompare(const Answer& answer, std::uint64_t offset) {
  check_sense(answer, scsi::SenseKey::miscompare, 0x1d, 0x00);
  CHECK(answer.sense->information == offset);
}

struct Geometry {
  std::uint16_t lun;
  std::size_t block_bytes;
};
const Geometry geometries[] = {{0, 512}, {2, 4096}};

}  // namespace

TEST_CASE("VERIFY with BYTCHK 01b compares every block and tells the first byte that differs") {
  for (const Geometry& unit : geometries) {
    OneSession world;
    const Bytes data = pattern(5, unit.block_bytes, 1);
    REQUIRE(world.run(write_16(3, 5), data, unit.lun).good());
    for (const Form& form : forms) {
      INFO(form.name << " " << unit.block_bytes);
      const Answer same = world.run(make(form, form.verify, 1, 3, 5), data, unit.lun);
      CHECK(same.good());
      CHECK(same.transfer_length == data.size());
      for (const std::size_t at : {std::size_t{0}, unit.block_bytes + 1, data.size() - 1}) {
        Bytes other = data;
        other[at] ^= 1;
        check_miscompare(world.run(make(form, form.verify, 1, 3, 5), other, unit.lun), at);
      }
      // An initiator that sends less compares less.
      const Bytes less(data.begin(), data.end() - 1);
      CHECK(world.run(make(form, form.verify, 1, 3, 5), less, unit.lun).good());
    }
    CHECK(world.run(read_16(3, 5), {}, unit.lun).data == data);
  }
}

TEST_CASE("VERIFY with BYTCHK 11b compares all blocks with one") {
  for (const Geometry& unit : geometries) {
    OneSession world;
    const Bytes one = pattern(1, unit.block_bytes, 7);
    Bytes three = one;
    three.insert(three.end(), one.begin(), one.end());
    three.insert(three.end(), one.begin(), one.end());
    REQUIRE(world.run(write_16(8, 3), three, unit.lun).good());
    for (const Form& form : forms) {
      INFO(form.name << " " << unit.block_bytes);
      const Answer same = world.run(make(form, form.verify, 3, 8, 3), one, unit.lun);
      CHECK(same.good());
      CHECK(same.transfer_length == unit.block_bytes);
      // The fourth block holds zeros.
      check_miscompare(world.run(make(form, form.verify, 3, 8, 4), one, unit.lun),
                       3 * unit.block_bytes + (one[0] == 0 ? 1 : 0));
      check_bad_cdb(world.run(make(form, form.verify, 3, 8, 3), {}, unit.lun), bit(1, 2));
    }
  }
}

TEST_CASE("VERIFY with BYTCHK 00b takes no data and compares nothing; unwritten blocks are good") {
  OneSession world;
  for (const Form& form : forms) {
    INFO(form.name);
    CHECK(world.run(make(form, form.verify, 0, 0, 2048), Bytes(512, 1)).good());
    CHECK(world.run(make(form, form.verify, 1, 100, 1), Bytes(512, 0)).good());
    CHECK(world.run(make(form, form.verify, 0, 2048, 0)).good());
    CHECK(world.run(make(form, form.verify, 1, 2048, 0)).good());
  }
}

TEST_CASE(
    "VERIFY and WRITE AND VERIFY refuse what does not exist, reserved BYTCHK and protection") {
  LogicalUnitLimits limits;
  limits.maximum_transfer = base::ByteCount(64 * 512);
  limits.maximum_verify = base::ByteCount(128 * 512);
  OneSession world({{scsi::Lun{3}, make_unit(13, memory(unit_bytes), 512, limits)}});
  const Bytes data(65 * 512, 1);
  for (const Form& form : forms) {
    INFO(form.name);
    const auto at = static_cast<std::uint16_t>(form.length_at);
    for (const unsigned bytchk : {0u, 1u, 3u}) {
      check_illegal(world.run(make(form, form.verify, bytchk, 2047, 2), Bytes(1024)), 0x21, 0x00);
    }
    check_bad_cdb(world.run(make(form, form.verify, 2, 0, 1), Bytes(512)), bit(1, 2));
    check_bad_cdb(world.run(make(form, form.verify, 1, 0, 65), data, 3), byte(at));
    CHECK(world.run(make(form, form.verify, 0, 0, 128), {}, 3).good());
    check_bad_cdb(world.run(make(form, form.verify, 0, 0, 129), {}, 3), byte(at));

    for (const unsigned bytchk : {2u, 3u}) {
      check_bad_cdb(world.run(make(form, form.write_and_verify, bytchk, 0, 1), Bytes(512, 1)),
                    bit(1, 2));
    }
    check_illegal(world.run(make(form, form.write_and_verify, 1, 2047, 2), Bytes(1024, 1)), 0x21,
                  0x00);
    check_bad_cdb(world.run(make(form, form.write_and_verify, 1, 0, 65), data, 3), byte(at));
    for (const std::uint8_t opcode : {form.verify, form.write_and_verify}) {
      scsi::CdbBytes cdb = make(form, opcode, 1, 0, 1);
      cdb[1] |= 0x20;
      check_bad_cdb(world.run(cdb, Bytes(512, 1)), bit(1, 7));
    }
  }
  CHECK(world.run(read_16(0, 1)).data == Bytes(512));
  CHECK(world.run(read_16(2047, 1)).data == Bytes(512));
}

TEST_CASE("WRITE AND VERIFY writes, with BYTCHK 00b and 01b") {
  for (const Geometry& unit : geometries) {
    OneSession world;
    unsigned seed = 1;
    for (const Form& form : forms) {
      for (const unsigned bytchk : {0u, 1u}) {
        INFO(form.name << " BYTCHK " << bytchk << " " << unit.block_bytes);
        const Bytes data = pattern(3, unit.block_bytes, seed++);
        const Answer written =
            world.run(make(form, form.write_and_verify, bytchk, 9, 3), data, unit.lun);
        CHECK(written.good());
        CHECK(written.transfer_length == data.size());
        CHECK(world.run(read_16(9, 3), {}, unit.lun).data == data);
        CHECK(world.run(make(form, form.write_and_verify, bytchk, 9, 0), {}, unit.lun).good());
      }
    }
  }
}

TEST_CASE("a WRITE AND VERIFY whose initiator sends less writes the whole blocks that came") {
  OneSession world;
  const Bytes data = pattern(2, 512, 5);
  const Answer answer =
      world.run(make(forms[0], 0x2e, 1, 0, 4), Bytes(data.begin(), data.end() - 1));
  CHECK(answer.good());
  CHECK(answer.transfer_length == 4 * 512);
  CHECK(world.run(read_16(0, 1)).data == Bytes(data.begin(), data.begin() + 512));
  CHECK(world.run(read_16(1, 3)).data == Bytes(3 * 512));
}

TEST_CASE("PRE-FETCH: CONDITION MET when it fits in the cache, GOOD when not") {
  OneSession world({{scsi::Lun{3}, make_unit(13, memory(256u << 20), 512)}});
  CHECK(world.run("34 00 00 00 00 00 00 00 08 00").status == scsi::Status::condition_met);
  CHECK(world.run("34 02 00 00 00 00 3F 00 08 00").status == scsi::Status::condition_met);
  CHECK(world.run("90 00 00 00 00 00 00 00 07 FF 00 00 00 01 00 00").status ==
        scsi::Status::condition_met);
  // Zero: to the end. 256 MiB are more than fit.
  CHECK(world.run("90 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00").status ==
        scsi::Status::condition_met);
  CHECK(world.run("90 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", {}, 3).status ==
        scsi::Status::good);
  CHECK(world.run("90 00 00 00 00 00 00 00 08 00 00 00 00 00 00 00").status ==
        scsi::Status::condition_met);
  check_illegal(world.run("34 00 00 00 08 00 00 00 01 00"), 0x21, 0x00);
  check_illegal(world.run("34 00 00 00 08 01 00 00 00 00"), 0x21, 0x00);
  check_illegal(world.run("90 00 00 00 00 00 00 00 07 FF 00 00 00 02 00 00"), 0x21, 0x00);
}

TEST_CASE("READ DEFECT DATA: empty lists of the kind and format asked for") {
  OneSession world;
  CHECK(world.run("37 00 18 00 00 00 00 00 FF 00").data == hex("00 18 00 00"));
  CHECK(world.run("37 00 0D 00 00 00 00 00 FF 00").data == hex("00 0D 00 00"));
  CHECK(world.run("37 00 0D 00 00 00 00 00 02 00").data == hex("00 0D"));
  CHECK(world.run("B7 1B 00 00 00 00 00 00 00 FF 00 00").data == hex("00 1B 00 00 00 00 00 00"));
  CHECK(world.run("B7 10 00 00 00 07 00 00 00 FF 00 00").data == hex("00 10 00 00 00 00 00 00"));
  check_bad_cdb(world.run("37 00 1E 00 00 00 00 00 FF 00"), bit(2, 2));
  check_bad_cdb(world.run("B7 1F 00 00 00 00 00 00 00 FF 00 00"), bit(1, 2));
}
