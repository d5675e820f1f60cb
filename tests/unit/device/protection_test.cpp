// Protection information by the tables of SBC-4: every code, every type, every kind of damage.
#include "tests/unit/device/protection_world.hpp"

using namespace device;
using namespace device::test;

namespace {

constexpr unsigned codes = 6;
constexpr std::uint8_t types[] = {1, 2, 3};
constexpr std::uint64_t lba = 40;
constexpr auto aborted = scsi::SenseKey::aborted_command;
constexpr auto miscompare = scsi::SenseKey::miscompare;

constexpr std::uint8_t verify_16 = 0x8f, write_and_verify_16 = 0x8e, write_same_16 = 0x93;

}  // namespace

TEST_CASE("blocks travel with their tuples, and back as they came") {
  for (const std::uint8_t type : types) {
    for (const std::uint32_t block_bytes : {512u, 4096u}) {
      ProtectedWorld world(type, block_bytes);
      const Bytes sent = world.sent(lba, 3, 1);
      for (unsigned code = 1; code < codes; ++code) {
        INFO("type " << int(type) << " code " << code);
        const Answer written = world.write(code, lba, sent);
        CHECK(written.good());
        CHECK(written.transfer_length == 3 * (block_bytes + 8));
        const Answer back = world.read(code, lba, 3);
        CHECK(back.data == sent);
        CHECK(back.transfer_length == 3 * (block_bytes + 8));
      }
      CHECK(world.read(0, lba, 3).data == world.data_of(sent));
    }
  }
}

TEST_CASE("reading checks what its code says, on a damaged medium") {
  for (const std::uint8_t type : types) {
    for (const char field : std::string("GAR")) {
      ProtectedWorld world(type);
      const Bytes sent = damaged(world.sent(lba, 3, 2), 2, field, 512);
      REQUIRE(world.write(3, lba, sent).good());
      for (unsigned code = 0; code < codes; ++code) {
        INFO("type " << int(type) << " code " << code << " field " << field);
        const Answer read = world.read(code, lba, 3);
        const Answer verified = world.run(world.cdb(verify_16, code, lba, 3));
        if (world.checks(code, field)) {
          check_failed(read, aborted, field, lba + 2);
          check_failed(verified, aborted, field, lba + 2);
        } else {
          CHECK(read.data == (code == 0 ? world.data_of(sent) : sent));
          CHECK(verified.good());
          CHECK(verified.transfer_length == 0);
        }
      }
      CHECK(world.read(0, lba, 2).good());
    }
  }
}

TEST_CASE("writing checks what its code says, and a failed check writes nothing") {
  for (const std::uint8_t type : types) {
    for (const char field : std::string("GAR")) {
      ProtectedWorld world(type);
      for (unsigned code = 1; code < codes; ++code) {
        INFO("type " << int(type) << " code " << code << " field " << field);
        const Bytes before = world.sent(lba, 3, 3);
        REQUIRE(world.write(3, lba, before).good());
        const Bytes sent = damaged(world.sent(lba, 3, code + 10), 1, field, 512);
        for (const std::uint8_t command : {std::uint8_t{0x8a}, write_and_verify_16}) {
          const Answer written = world.run(world.cdb(command, code, lba, 3), sent);
          if (world.checks(code, field)) {
            check_failed(written, aborted, field, lba + 1);
            CHECK(world.read(3, lba, 3).data == before);
          } else {
            CHECK(written.good());
            CHECK(world.read(3, lba, 3).data == sent);
          }
        }
      }
    }
  }
}

TEST_CASE("an application tag of all ones turns checks of the medium off, not of what is sent") {
  for (const std::uint8_t type : types) {
    ProtectedWorld world(type);
    Bytes sent = damaged(world.sent(lba, 1, 4), 0, 'G', 512);
    sent[512 + 2] = sent[512 + 3] = 0xff;
    if (type == 3) std::fill(sent.begin() + 512 + 4, sent.end(), 0xff);
    REQUIRE(world.write(3, lba, sent).good());
    for (unsigned code = 0; code < codes; ++code) {
      INFO("type " << int(type) << " code " << code);
      CHECK(world.read(code, lba, 1).good());
      if (code != 0 && world.checks(code, 'G')) {
        check_failed(world.write(code, lba, sent), aborted, 'G', lba);
      }
    }
    // Of type 3 the reference tag has a say as well.
    if (type != 3) continue;
    sent[519] = 0;
    REQUIRE(world.write(3, lba, sent).good());
    check_failed(world.read(0, lba, 1), aborted, 'G', lba);
  }
}

TEST_CASE("data that comes alone gets protection information; what was never written has none") {
  struct Case {
    std::uint8_t type;
    std::uint16_t application_tag;
    std::uint32_t reference_tag;
  };
  for (const Case& each : {Case{1, 0, lba}, Case{2, 0xffff, 0xffffffff}, Case{3, 0, 0xffffffff}}) {
    INFO("type " << int(each.type));
    ProtectedWorld world(each.type);
    const Bytes data = pattern(1, 512, 9);
    const Bytes expected =
        joined(data, Tuple{guard_of(data), each.application_tag, each.reference_tag}.bytes());
    REQUIRE(world.run(write_16(lba, 1), data).good());
    CHECK(world.read(1, lba, 1).data == expected);
    CHECK(world.run(read_16(lba, 1)).data == data);
    REQUIRE(world.write(0, lba, data).good());
    CHECK(world.read(3, lba, 1).data == expected);
    const Bytes formatted = joined(Bytes(512), Bytes(8, 0xff));
    CHECK(world.read(1, lba + 1, 1).data == formatted);
    // UNMAP of one block.
    Bytes list = hex("00 16 00 10 00 00 00 00");
    list.resize(24);
    base::store_be64(list, 8, lba);
    base::store_be32(list, 16, 1);
    REQUIRE(world.run(cdb_of("42 00 00 00 00 00 00 00 18 00"), list).good());
    CHECK(world.read(1, lba, 1).data == formatted);
  }
}

TEST_CASE("codes that do not exist are refused at their field, and on other units all of them") {
  for (const std::uint8_t type : types) {
    ProtectedWorld world(type);
    const scsi::FieldPointer at = bit(type == 2 ? 10 : 1, 7);
    for (const std::uint8_t command :
         {std::uint8_t{0x88}, std::uint8_t{0x8a}, verify_16, write_and_verify_16, write_same_16}) {
      for (unsigned code = 6; code < 8; ++code) {
        check_bad_cdb(world.run(world.cdb(command, code, lba, 1), Bytes(520)), at);
      }
    }
  }
}

TEST_CASE("type 2 takes codes in 32-byte CDBs only") {
  ProtectedWorld world(2);
  ProtectedWorld with_type_1(1);
  const Bytes data = pattern(1, 512, 1);
  REQUIRE(world.write(0, 0, data).good());
  for (const char* text :
       {"28 E0 00 00 00 00 00 00 01", "2A 20 00 00 00 00 00 00 01", "2E 60 00 00 00 00 00 00 01",
        "2F 20 00 00 00 00 00 00 01", "41 20 00 00 00 00 00 00 01", "A8 20 00 00 00 00 00 00 00 01",
        "88 20 00 00 00 00 00 00 00 00 00 00 00 01", "89 20 00 00 00 00 00 00 00 00 00 00 00 01",
        "8B 20 00 00 00 00 00 00 00 00 00 00 00 01", "9C 20 00 00 00 00 00 00 00 00 00 00 00 01"}) {
    INFO(text);
    check_illegal(world.run(cdb_of(text), Bytes(1040)), 0x20, 0x00);
  }
  CHECK(world.run(cdb_of("28 00 00 00 00 00 00 00 01")).data == data);
  // And no other unit has them.
  check_illegal(with_type_1.run(world.cdb(0x88, 0, 0, 1)), 0x20, 0x00);
  check_illegal(world.OneSession::run(world.cdb(0x88, 0, 0, 1), {}, 0), 0x20, 0x00);
}

TEST_CASE("expected tags: every bit of the mask counts, and only those") {
  ProtectedWorld world(2);
  const Bytes sent = world.sent(lba, 2, 1);  // application tag A501h
  REQUIRE(world.write(1, lba, sent).good());
  const auto read = [&](std::uint16_t tag, std::uint16_t mask, std::uint32_t reference) {
    scsi::CdbBytes cdb = world.cdb(0x88, 1, lba, 2);
    put(cdb, 20, 4, reference);
    put(cdb, 24, 2, tag);
    put(cdb, 26, 2, mask);
    return world.run(cdb);
  };
  const std::uint32_t reference = tags_from + lba;
  CHECK(read(0xa501, 0xffff, reference).data == sent);
  CHECK(read(0x5afe, 0x0000, reference).data == sent);
  for (unsigned which = 0; which < 16; ++which) {
    const auto mask = static_cast<std::uint16_t>(1u << which);
    CHECK(read(0xa501, mask, reference).good());
    check_failed(read(static_cast<std::uint16_t>(0xa501 ^ mask), mask, reference), aborted, 'A',
                 lba);
    CHECK(read(static_cast<std::uint16_t>(0xa501 ^ mask), static_cast<std::uint16_t>(~mask),
               reference)
              .good());
  }
  check_failed(read(0xa501, 0xffff, reference + 1), aborted, 'R', lba);
}

TEST_CASE("comparing tells data from protection information, by code") {
  // What is compared where bytes are (BYTCHK 01b); application tags only where hosts own them.
  static const char* const compared[] = {"", "GAR", "AR", "GAR", "GAR", "GAR"};
  for (const std::uint8_t type : types) {
    for (unsigned code = 1; code < codes; ++code) {
      for (const char field : std::string("GAR")) {
        INFO("type " << int(type) << " code " << code << " field " << field);
        ProtectedWorld world(type);
        const Bytes sent = world.sent(lba, 3, 5);
        REQUIRE(world.write(3, lba, damaged(sent, 1, field, 512)).good());
        const Answer answer = world.run(world.cdb(verify_16, code, lba, 3, 2), sent);
        const bool known = field != 'A' || type == 2;
        if (known && std::string(compared[code]).find(field) != std::string::npos) {
          check_failed(answer, miscompare, field, lba + 1);
        } else {
          CHECK(answer.good());
        }
      }
      ProtectedWorld world(type);
      const Bytes sent = world.sent(lba, 3, 5);
      REQUIRE(world.write(1, lba, sent).good());
      CHECK(world.run(world.cdb(verify_16, code, lba, 3, 2), sent).good());
      Bytes other = world.sent(lba, 3, 5);
      other[2 * 520 + 7] ^= 1;
      if (world.checks(code, 'G')) {
        // It was damaged on its way.
        check_failed(world.run(world.cdb(verify_16, code, lba, 3, 2), other), aborted, 'G',
                     lba + 2);
        continue;
      }
      const Answer differs = world.run(world.cdb(verify_16, code, lba, 3, 2), other);
      check_sense(differs, miscompare, 0x1d, 0x00);
      CHECK(differs.sense->information == 2 * 520 + 7);
    }
  }
}

TEST_CASE("one block for all: its reference tag counts on, except in type 3") {
  for (const std::uint8_t type : types) {
    for (unsigned code = 1; code < codes; ++code) {
      INFO("type " << int(type) << " code " << code);
      ProtectedWorld world(type);
      const Bytes block = world.sent(lba, 1, 6);
      const Answer written = world.run(world.cdb(write_same_16, code, lba, 700), block);
      CHECK(written.good());
      CHECK(written.transfer_length == 520);
      const Bytes found = world.read(1, lba, 700).data;
      REQUIRE(found.size() == 700 * 520);
      for (const std::uint32_t i : {0u, 1u, 511u, 512u, 699u}) {
        const Bytes each(found.begin() + i * 520, found.begin() + (i + 1) * 520);
        const std::uint32_t first = base::load_be32(block, 516);
        CHECK(base::load_be32(each, 516) == (type == 3 ? first : first + i));
        CHECK(std::equal(each.begin(), each.begin() + 516, block.begin()));
      }
      CHECK(world.run(world.cdb(verify_16, code, lba, 700, 6), block).good());
      const Answer wrong = world.run(world.cdb(write_same_16, code, lba, 2),
                                     damaged(world.sent(lba, 1, 7), 0, 'G', 512));
      CHECK(wrong.good() == !world.checks(code, 'G'));
    }
    // NDOB: zeros, as formatted.
    ProtectedWorld world(type);
    REQUIRE(world.write(1, lba, world.sent(lba, 1, 6)).good());
    REQUIRE(world.run(world.cdb(write_same_16, 1, lba, 1, 1)).good());
    CHECK(world.read(1, lba, 1).data == joined(Bytes(512), Bytes(8, 0xff)));
  }
}

TEST_CASE("COMPARE AND WRITE, ORWRITE and WRITE ATOMIC with protection information") {
  for (const std::uint8_t type : {std::uint8_t{1}, std::uint8_t{3}}) {
    ProtectedWorld world(type);
    const Bytes old = world.sent(lba, 2, 1), fresh = world.sent(lba, 2, 2);
    const auto compare_and_write = [&](unsigned code, const Bytes& data) {
      scsi::CdbBytes cdb{0x89, static_cast<std::uint8_t>(code << 5)};
      put(cdb, 2, 8, lba);
      cdb[13] = 2;
      return world.run(cdb, data);
    };
    REQUIRE(world.write(1, lba, old).good());
    check_failed(compare_and_write(1, joined(old, damaged(fresh, 1, 'G', 512))), aborted, 'G',
                 lba + 1);
    CHECK(world.read(1, lba, 2).data == old);
    const Answer swapped = compare_and_write(1, joined(old, fresh));
    CHECK(swapped.good());
    CHECK(swapped.transfer_length == 4 * 520);
    CHECK(world.read(1, lba, 2).data == fresh);
    check_failed(compare_and_write(4, joined(damaged(fresh, 0, 'R', 512), old)), miscompare, 'R',
                 lba);
    const Answer differs = compare_and_write(3, joined(old, fresh));
    check_sense(differs, miscompare, 0x1d, 0x00);
    CHECK(compare_and_write(0, joined(world.data_of(fresh), world.data_of(old))).good());
    CHECK(world.read(0, lba, 2).data == world.data_of(old));
    check_bad_cdb(compare_and_write(1, Bytes(4 * 512)), byte(13));

    // The bits of both, a new guard, the tags that were sent.
    REQUIRE(world.write(1, lba, old).good());
    REQUIRE(world.run(world.cdb(0x8b, 1, lba, 2), fresh).good());
    Bytes both = world.data_of(old), bits = world.data_of(fresh);
    std::transform(both.begin(), both.end(), bits.begin(), both.begin(), std::bit_or<>());
    const Bytes found = world.read(1, lba, 2).data;
    CHECK(world.data_of(found) == both);
    CHECK(Bytes(found.begin() + 514, found.begin() + 520) ==
          Bytes(fresh.begin() + 514, fresh.begin() + 520));
    CHECK(base::load_be16(found, 512) == guard_of(Bytes(both.begin(), both.begin() + 512)));
    REQUIRE(world.write(3, lba, damaged(old, 1, 'G', 512)).good());
    check_failed(world.run(world.cdb(0x8b, 1, lba, 2), fresh), aborted, 'G', lba + 1);
    check_failed(world.run(world.cdb(0x8b, 0, lba, 2), world.data_of(fresh)), aborted, 'G',
                 lba + 1);
    CHECK(world.run(world.cdb(0x8b, 3, lba, 2), fresh).good());

    scsi::CdbBytes atomic{0x9c, 0x20};
    put(atomic, 2, 8, lba);
    atomic[13] = 2;
    check_failed(world.run(atomic, damaged(old, 0, 'G', 512)), aborted, 'G', lba);
    CHECK(world.run(atomic, old).good());
    CHECK(world.read(1, lba, 2).data == old);
  }
}

TEST_CASE("what arrives of less data than a write asks for is written, whole blocks of it") {
  ProtectedWorld world(1);
  const Bytes sent = world.sent(lba, 3, 1);
  const Answer written =
      world.run(world.cdb(0x8a, 1, lba, 3), Bytes(sent.begin(), sent.begin() + 2 * 520 + 515));
  CHECK(written.good());
  CHECK(written.transfer_length == 3 * 520);
  const Bytes found = world.read(1, lba, 3).data;
  CHECK(std::equal(found.begin(), found.begin() + 2 * 520, sent.begin()));
  CHECK(Bytes(found.begin() + 2 * 520 + 512, found.end()) == Bytes(8, 0xff));
}

TEST_CASE("no blocks, and blocks that are not there") {
  for (const std::uint8_t type : types) {
    ProtectedWorld world(type);
    CHECK(world.read(1, lba, 0).good());
    CHECK(world.write(1, lba, {}).good());
    check_illegal(world.read(1, 2047, 2), 0x21, 0x00);
    check_illegal(world.write(1, 2047, world.sent(2047, 2, 1)), 0x21, 0x00);
  }
}

TEST_CASE("ADDITIONAL CDB LENGTH has to be what it is") {
  ProtectedWorld world(2);
  scsi::CdbBytes cdb = world.cdb(0x88, 0, 0, 1);
  cdb[7] = 0x14;
  check_bad_cdb(world.run(cdb), byte(7));
  cdb[7] = 0x18;
  for (const std::uint16_t arrived : {16, 31, 33, 260}) {
    Command command;
    command.task.cdb_length = arrived;
    Task& task = command.task;
    task.owner = &command.owner;
    task.lun_field = scsi::encode_lun({5});
    task.cdb = cdb;
    world.nexus->execute(task);
    check_bad_cdb(command.owner.answer, byte(7));
  }
  cdb[9] = 0x07;
  check_bad_cdb(world.run(cdb), byte(8));
}

TEST_CASE("a protected unit says so") {
  struct Case {
    std::uint8_t type, read_capacity, extended_inquiry, control;
  };
  // P_TYPE and PROT_EN; SPT, GRD_CHK, APP_CHK, REF_CHK; ATO.
  for (const Case& each : {Case{0, 0x00, 0x00, 0x00}, Case{1, 0x01, 0b00'000'101, 0x00},
                           Case{2, 0x03, 0b00'010'111, 0x80}, Case{3, 0x05, 0b00'100'100, 0x00}}) {
    INFO("type " << int(each.type));
    OneSession world({{scsi::Lun{5}, make_protected_unit(15, each.type)}});
    const Bytes capacity = world.run("9E 10 00 00 00 00 00 00 00 00 00 00 00 20", {}, 5).data;
    CHECK(capacity.at(12) == each.read_capacity);
    CHECK(capacity.at(13) == 0x03);  // P_I_EXPONENT 0
    CHECK((world.run("12 00 00 00 60 00", {}, 5).data.at(5) & 0x01) == (each.type != 0 ? 1 : 0));
    CHECK(world.run("12 01 86 00 40 00", {}, 5).data.at(4) == each.extended_inquiry);
    const Bytes page = world.run("1A 08 0A 00 FF 00", {}, 5).data;
    CHECK((page.at(4 + 5) & 0x80) == each.control);
    CHECK((page.at(4 + 2) & 0x08) == 0);  // DPICZ
    // Sent back as it came.
    Bytes list = page;
    list[0] = list[2] = 0;
    scsi::CdbBytes select = cdb_of("15 10 00 00 00 00");
    select[4] = static_cast<std::uint8_t>(list.size());
    CHECK(world.run(select, list, 5).good());
    list[4 + 5] ^= 0x80;
    check_illegal(world.run(select, list, 5), 0x26, 0x00);
  }
}
