// READ, WRITE, SYNCHRONIZE CACHE and READ CAPACITY through the device server.
#include "scsi/block_cdbs.hpp"
#include "tests/unit/device/device_world.hpp"

using namespace device;
using namespace device::test;

namespace {

// One of the four lengths of READ and WRITE.
struct Form {
  std::string_view name;
  std::uint8_t read, write;
  std::size_t lba_at, lba_bytes, length_at, length_bytes;
  scsi::FieldPointer length_field;
};
const Form forms[] = {
    {"(6)", 0x08, 0x0a, 1, 3, 4, 1, byte(4)},
    {"(10)", 0x28, 0x2a, 2, 4, 7, 2, byte(7)},
    {"(12)", 0xa8, 0xaa, 2, 4, 6, 4, byte(6)},
    {"(16)", 0x88, 0x8a, 2, 8, 10, 4, byte(10)},
};

scsi::CdbBytes make(const Form& form, std::uint8_t opcode, std::uint64_t lba,
                    std::uint64_t blocks) {
  scsi::CdbBytes cdb{opcode};
  put(cdb, form.lba_at, form.lba_bytes, lba);
  put(cdb, form.length_at, form.length_bytes, blocks);
  return cdb;
}

void check_out_of_range(const Answer& answer, std::uint64_t information) {
  check_illegal(answer, 0x21, 0x00);
  CHECK(answer.sense->information == information);
}

struct Geometry {
  std::uint16_t lun;
  std::size_t block_bytes;
  std::uint64_t capacity() const { return unit_bytes / block_bytes; }
};
const Geometry geometries[] = {{0, 512}, {2, 4096}};

}  // namespace

TEST_CASE("what is written in any form is read in every form") {
  for (const Geometry& unit : geometries) {
    OneSession world;
    unsigned seed = 1;
    for (const Form& writer : forms) {
      const Bytes data = pattern(3, unit.block_bytes, seed++);
      const Answer written = world.run(make(writer, writer.write, 5, 3), data, unit.lun);
      CHECK(written.good());
      CHECK(written.transfer_length == data.size());
      for (const Form& reader : forms) {
        INFO("WRITE" << writer.name << " READ" << reader.name << " " << unit.block_bytes);
        CHECK(world.run(make(reader, reader.read, 5, 3), {}, unit.lun).data == data);
      }
    }
    // The neighbours stayed as they were.
    CHECK(world.run(read_16(4, 1), {}, unit.lun).data == Bytes(unit.block_bytes));
    CHECK(world.run(read_16(8, 1), {}, unit.lun).data == Bytes(unit.block_bytes));
  }
}

TEST_CASE("the last block can be read and written, one beyond is 05/21/00 with INFORMATION") {
  for (const Geometry& unit : geometries) {
    OneSession world;
    const std::uint64_t capacity = unit.capacity();
    for (const Form& form : forms) {
      INFO(form.name << " " << unit.block_bytes);
      const Bytes block = pattern(1, unit.block_bytes, 9);
      CHECK(world.run(make(form, form.write, capacity - 1, 1), block, unit.lun).good());
      CHECK(world.run(make(form, form.read, capacity - 1, 1), {}, unit.lun).data == block);

      const Bytes two = pattern(2, unit.block_bytes, 11);
      for (const std::uint8_t opcode : {form.read, form.write}) {
        check_out_of_range(world.run(make(form, opcode, capacity - 1, 2), two, unit.lun), capacity);
        check_out_of_range(world.run(make(form, opcode, capacity, 1), two, unit.lun), capacity);
        check_out_of_range(world.run(make(form, opcode, capacity + 7, 1), two, unit.lun),
                           capacity + 7);
      }
      CHECK(world.run(make(form, form.read, capacity - 1, 1), {}, unit.lun).data == block);
    }
  }
}

TEST_CASE("LBA + length that wraps 64 bits is out of range") {
  OneSession world;
  check_out_of_range(world.run(read_16(~std::uint64_t{0}, 2)), ~std::uint64_t{0});
  check_out_of_range(world.run(write_16(~std::uint64_t{0}, 2), Bytes(1024)), ~std::uint64_t{0});
}

TEST_CASE("zero length moves nothing, also at the capacity; beyond it is refused") {
  OneSession world;
  for (const Form& form : forms) {
    if (form.length_bytes == 1) continue;
    for (const std::uint8_t opcode : {form.read, form.write}) {
      for (const std::uint64_t lba : {std::uint64_t{0}, unit_bytes / 512}) {
        const Answer answer = world.run(make(form, opcode, lba, 0));
        CHECK(answer.good());
        CHECK(answer.data.empty());
        CHECK(answer.transfer_length == 0);
      }
      check_out_of_range(world.run(make(form, opcode, unit_bytes / 512 + 1, 0)),
                         unit_bytes / 512 + 1);
    }
  }
}

TEST_CASE("a length of 0 means 256 blocks in the 6-byte forms only") {
  OneSession world;
  const Bytes data = pattern(256, 512, 3);
  const Answer written = world.run("0A 00 00 10 00 00", data);
  CHECK(written.good());
  CHECK(written.transfer_length == data.size());
  CHECK(world.run("08 00 00 10 00 00").data == data);
  CHECK(world.run(read_16(16, 256)).data == data);
}

TEST_CASE("more than MAXIMUM TRANSFER LENGTH is refused at the length field") {
  LogicalUnitLimits limits;
  limits.maximum_transfer = base::ByteCount(64 * 512);
  OneSession world({{scsi::Lun{3}, make_unit(13, memory(unit_bytes), 512, limits)}});
  for (const Form& form : forms) {
    INFO(form.name);
    CHECK(world.run(make(form, form.read, 0, 64), {}, 3).data.size() == 64 * 512);
    CHECK(world.run(make(form, form.write, 0, 64), Bytes(64 * 512), 3).good());
    for (const std::uint8_t opcode : {form.read, form.write}) {
      check_bad_cdb(world.run(make(form, opcode, 0, 65), Bytes(65 * 512), 3), form.length_field);
    }
  }
  // The range is told first.
  check_out_of_range(world.run(read_16(0, 0xffffffff), {}, 3), unit_bytes / 512);
}

TEST_CASE("RDPROTECT and WRPROTECT are refused, as no protection is configured") {
  OneSession world;
  for (const Form& form : forms) {
    if (form.length_bytes == 1) continue;
    for (const std::uint8_t opcode : {form.read, form.write}) {
      for (const std::uint8_t protect : {0x20, 0x40, 0xe0}) {
        scsi::CdbBytes cdb = make(form, opcode, 0, 1);
        cdb[1] = protect;
        check_bad_cdb(world.run(cdb, Bytes(512)), bit(1, 7));
      }
    }
  }
}

TEST_CASE("DPO, FUA, FUA_NV, RARC and GROUP NUMBER are accepted") {
  OneSession world;
  const Bytes data = pattern(1, 512, 1);
  CHECK(world.run("2A 1A 00 00 00 00 3F 00 01 00", data).good());
  CHECK(world.run("28 1E 00 00 00 00 3F 00 01 00").data == data);
}

TEST_CASE("a WRITE whose initiator sends less writes the whole blocks that came") {
  OneSession world;
  const Bytes data = pattern(4, 512, 5);
  const Answer answer =
      world.run(write_16(0, 4), Bytes(data.begin(), data.begin() + 2 * 512 + 511));
  CHECK(answer.good());
  CHECK(answer.transfer_length == 4 * 512);  // the transport tells the residual from it
  const Bytes back = world.run(read_16(0, 4)).data;
  CHECK(std::equal(data.begin(), data.begin() + 2 * 512, back.begin()));
  CHECK(Bytes(back.begin() + 2 * 512, back.end()) == Bytes(2 * 512));
}

TEST_CASE("SYNCHRONIZE CACHE checks its range and flushes") {
  OneSession world;
  CHECK(world.run("35 00 00 00 00 00 00 00 00 00").good());
  CHECK(world.run("91 02 00 00 00 00 00 00 00 00 00 00 08 00 00 00").good());
  check_out_of_range(world.run("35 00 00 00 08 00 00 00 01 00"), 0x800);
  check_out_of_range(world.run("91 00 00 00 00 00 00 00 00 00 00 00 08 01 00 00"), 0x800);
}

TEST_CASE("READ CAPACITY of both block lengths") {
  OneSession world;
  CHECK(world.run("25").data == hex("00 00 07 FF 00 00 02 00"));
  CHECK(world.run("25", {}, 2).data == hex("00 00 00 FF 00 00 10 00"));
  CHECK(world.run("9E 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00").data ==
        hex("00 00 00 00 00 00 07 FF 00 00 02 00 00 03 C0 00"
            "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"));
  CHECK(world.run("9E 10 00 00 00 00 00 00 00 00 00 00 00 0C 00 00", {}, 2).data ==
        hex("00 00 00 00 00 00 00 FF 00 00 10 00"));
}
