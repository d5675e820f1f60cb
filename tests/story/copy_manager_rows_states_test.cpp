// Wire reference 3.3 row 17, 7.4 (00h, 02h and the order of tests), 9.1, 9.2, 9.4, 9.6 and 9.7:
// what the units of a copy are in, and who asks.
#include <algorithm>

#include "tests/story/rows_world.hpp"

using namespace story;

namespace {

// Persistent reservations of a type, by a host that is not the one that asks.
struct Reserved {
  explicit Reserved(std::uint8_t type) {
    Bytes key(24);
    key[15] = 1;
    REQUIRE(told(reserve_out(holder, 0x00, 0, key)) == "GOOD");
    std::swap(key[7], key[15]);
    REQUIRE(told(reserve_out(holder, 0x01, type, key)) == "GOOD");
  }
  static Answer reserve_out(Host& by, std::uint8_t action, std::uint8_t type, const Bytes& list) {
    return by.command(1, scsi::CdbBytes{0x5f, action, type, 0, 0, 0, 0, 0, 24}, list);
  }
  void register_asker() {
    Bytes key(24);
    key[15] = 2;
    REQUIRE(told(reserve_out(w.host, 0x00, 0, key)) == "GOOD");
  }
  // PT, WUT, EXTENDED COPY, COPY OPERATION ABORT, then 84h: "conflict" or "allowed".
  std::vector<std::string> answers() {
    std::vector<std::string> out;
    const auto add = [&out](const Answer& answer) {
      out.emplace_back(answer.status == scsi::Status::reservation_conflict ? "conflict"
                                                                           : "allowed");
      if (out.back() == "conflict") CHECK(answer.sense_bytes.empty());
    };
    add(w.populate(list_of(16, {{0, 8}}), 1, 1));
    add(w.write_using(Rows::write_list(token, {{0, 8}})));
    Bytes empty(16);
    scsi::CdbBytes copy{0x83, 0x00};
    copy[13] = 16;
    add(w.host.command(1, copy, empty));
    add(w.abort(77, 1));
    for (const std::uint8_t action : {0x05, 0x07, 0x08})
      add(w.ask(action, 77, 805, 1));
    for (const std::uint8_t action : {0x00, 0x01, 0x03, 0x04}) {
      scsi::CdbBytes short_form{0x84, action};
      short_form[12] = 2;
      add(w.host.command(1, short_form, {}, 512));
    }
    return out;
  }

  Rows w;
  Host holder{w.array, "iqn.1991-05.com.microsoft:holder"};
  const Bytes token = w.token({{0, 8}});
};

std::vector<std::string> expected(const char* populate, const char* others) {
  std::vector<std::string> out{populate, others, others, others};
  out.resize(11, "allowed");
  return out;
}

}  // namespace

TEST_CASE("wire reference 9.1 rows: persistent reservations of another nexus") {
  struct Column {
    std::uint8_t type;
    const char* populate;
    bool registrants;
  };
  for (const Column& column :
       {Column{1, "allowed", false}, Column{3, "conflict", false}, Column{5, "allowed", true},
        Column{6, "conflict", true}, Column{7, "allowed", true}, Column{8, "conflict", true}}) {
    INFO("9.1 type " << int(column.type));
    Reserved r(column.type);
    CHECK(r.answers() == expected(column.populate, "conflict"));
    r.register_asker();
    CHECK(r.answers() == (column.registrants ? expected("allowed", "allowed")
                                             : expected(column.populate, "conflict")));
  }
}

TEST_CASE("wire reference 3.3 row 17, 9.2 'thin pool full': 07/27/07, and what is then told") {
  Rows w({}, {}, {"memory:8M", "memory:8M,provisioned=128K"});
  REQUIRE(w.host.write(0, 0, pattern(1024 * 512, 1)).is_good());
  const Bytes token = w.token({{0, 1024}});
  REQUIRE(w.host.write(1, 0, pattern(128 * 512, 2)).is_good());
  CHECK(told(w.write_using(Rows::write_list(token, {{4096, 1024}}))).substr(0, 8) == "07/27/07");
  const Bytes record = w.information(2, 805, 1).data;
  REQUIRE(record.size() == 56);
  CHECK(Bytes(record.begin() + 4, record.begin() + 6) == hex("11 02"));
  CHECK(Bytes(record.begin() + 12, record.begin() + 16) == hex("02 14 12 F1"));
  CHECK((record[32 + 2] & 0x0f) == 0x07);
  CHECK(Bytes(record.begin() + 32 + 12, record.begin() + 32 + 14) == hex("27 07"));
  // TRANSFER COUNT: contiguous, and good.
  const auto blocks = static_cast<std::uint32_t>(base::load_be64(record, 16));
  CHECK(blocks < 1024);
  if (blocks != 0) CHECK(w.host.read(1, 4096, blocks) == w.host.read(0, 0, blocks));
  // The others do not write: PT and RRTI are as ever, and zeros need no room.
  CHECK(told(w.populate(list_of(16, {{0, 8}}), 7, 1)) == "GOOD");
  CHECK(told(w.information(7, 805, 1)) == "GOOD");
  Bytes zeros(512);
  base::store_be64(zeros, 0, 0xffff0001000001f8);
  CHECK(told(w.write_using(Rows::write_list(zeros, {{0, 64}}))) == "GOOD");
  CHECK(w.host.read(1, 0, 64) == Bytes(64 * 512));
}

TEST_CASE("wire reference 9.2 row 'unit attention pending': first, and nothing is done") {
  Rows w;
  const Bytes token = w.token({{0, 8}});
  const Bytes before = w.host.read(1, 0, 8);
  REQUIRE(w.host.write(0, 0, pattern(8 * 512, 3)).is_good());
  const auto change = [&w](std::uint16_t lun, std::uint64_t bytes) {
    REQUIRE(w.array.target->resize_unit({lun}, base::ByteCount(bytes), w.array.pool));
  };
  change(0, 9u << 20);
  CHECK(told(w.populate(list_of(16, {{0, 8}}), 5)) == "06/2A/09");
  CHECK(told(w.information(5)) == "05/24/00 C2");
  change(1, 9u << 20);
  CHECK(told(w.write_using(Rows::write_list(token, {{0, 8}}))) == "06/2A/09");
  CHECK(w.host.read(1, 0, 8) == before);
  REQUIRE(told(w.populate(list_of(16, {{0, 8}}), 5)) == "GOOD");
  change(0, 10u << 20);
  CHECK(told(w.information(5)) == "06/2A/09");
  CHECK(w.information(5).data.size() == 550);  // it was not told before
}

TEST_CASE("wire reference 9.2 row 'write protected': PT and RRTI are fine") {
  Rows w;
  const Bytes mode = hex("00 00 00 00  0A 0A 00 10 08 00 00 00 FF FF 00 00");
  REQUIRE(told(w.host.command(0, scsi::CdbBytes{0x15, 0x10, 0, 0, 16}, mode)) == "GOOD");
  const Bytes token = w.token({{0, 8}});
  CHECK(told(w.write_using(Rows::write_list(token, {{0, 8}}), 3, 0)) == "07/27/02");
  const Bytes record = w.information(3).data;
  REQUIRE(record.size() == 56);
  CHECK(record[5] == 0x02);
  CHECK(Bytes(record.begin() + 32, record.end()) ==
        hex("70 00 07 00 00 00 00 0A  00 00 00 00 27 02 00 00 00 00 00 00  00 00 00 00"));
  CHECK(told(w.write_using(Rows::write_list(token, {{0, 8}}))) == "GOOD");  // another unit
}

TEST_CASE("wire reference 9.2 row 'not ready': PT and WUT 02/04/02, RRTI and the past are told") {
  Rows w;
  const Bytes token = w.token({{0, 8}}), list = list_of(16, {{0, 8}});
  REQUIRE(told(w.populate(list, 1, 1)) == "GOOD");
  REQUIRE(told(w.host.command(1, scsi::CdbBytes{0x1b})) == "GOOD");
  CHECK(told(w.populate(list, 2, 1)) == "02/04/02");
  CHECK(told(w.write_using(Rows::write_list(token, {{0, 8}}))) == "02/04/02");
  CHECK(w.information(1, 805, 1).data.size() == 550);
  REQUIRE(told(w.host.command(1, scsi::CdbBytes{0x1b, 0, 0, 0, 1})) == "GOOD");
  CHECK(told(w.write_using(Rows::write_list(token, {{0, 8}}))) == "GOOD");
}

TEST_CASE("wire reference 9.2 row 'medium error reading the source'") {
  Rows w({}, {}, {"memory:8M,failing", "memory:8M"});
  w.array.reads_fail = true;
  const Bytes token = w.token({{0, 8}});  // 'no read, no error'
  CHECK(told(w.write_using(Rows::write_list(token, {{0, 8}}))) == "0A/0D/01");
  const Bytes record = w.information(2, 805, 1).data;
  REQUIRE(record.size() == 56);
  CHECK(Bytes(record.begin(), record.begin() + 6) == hex("00 00 00 34  11 02"));
  CHECK(base::load_be64(record, 16) == 0);
  CHECK(Bytes(record.begin() + 32, record.end()) ==
        hex("70 00 0A 00 00 00 00 0A  00 00 00 00 0D 01 00 00 00 00 00 00  00 00 00 00"));
  w.array.reads_fail = false;
  CHECK(told(w.write_using(Rows::write_list(token, {{0, 8}}))) == "GOOD");
}

TEST_CASE("wire reference 7.4 row 02h 'remote token usage', and REMOTE TOKENS of 0106h") {
  const std::string near = "iqn.2026-11.io.copymgr:near";
  for (const bool taken : {false, true}) {
    device::LogicalUnitLimits limits;
    limits.copies.remote_tokens =
        taken ? copymgr::RemoteTokens::array : copymgr::RemoteTokens::refuse;
    Rows w({}, limits);
    const auto other_target = w.array.add_target(near, {"memory:8M"}, w.folder.path(), limits);
    Host other(w.array, "iqn.1991-05.com.microsoft:rows", other_target);
    REQUIRE(other.write(0, 0, pattern(8 * 512, 4)).is_good());
    const Bytes list = list_of(16, {{0, 8}});
    REQUIRE(told(other.command(0, Rows::out(0x10, 1, 32), list)) == "GOOD");
    scsi::CdbBytes ask{0x84, 0x07, 0, 0, 0, 1};
    base::store_be32(ask, 10, 805);
    const Bytes answer = other.command(0, ask, {}, 805).data;
    REQUIRE(answer.size() == 550);
    const Bytes token(answer.begin() + 38, answer.end());
    CHECK(told(w.write_using(Rows::write_list(token, {{0, 8}}))) ==
          (taken ? "GOOD" : "05/23/02 @16"));
    CHECK((w.host.read(1, 0, 8) == other.read(0, 0, 8)) == taken);
    const Bytes page =
        w.host.command(0, scsi::CdbBytes{0x12, 0x01, 0x8f, 0x04, 0x00}, {}, 1024).data;
    const Bytes features = hex("01 06 00 5C");
    const auto at = std::search(page.begin(), page.end(), features.begin(), features.end());
    REQUIRE(page.end() - at > 5);
    CHECK(at[4] == (taken ? 4 : 0));
    // The order of tests: corrupt comes before it, expired behind it.
    Bytes corrupt = token;
    corrupt[511] ^= 1;
    CHECK(told(w.write_using(Rows::write_list(corrupt, {{0, 8}}))) == "05/23/05 @16");
    w.array.clock.advance(std::chrono::seconds(60));
    CHECK(told(w.write_using(Rows::write_list(token, {{0, 8}}))) ==
          (taken ? "05/23/07 @16" : "05/23/02 @16"));
  }
}

TEST_CASE("wire reference 7.4 row 00h, 7.3: who may use a token; 9.6: who may ask for a result") {
  for (const auto use : {copymgr::TokenUse::bearer, copymgr::TokenUse::same_initiator}) {
    device::LogicalUnitLimits limits;
    limits.copies.token_use = use;
    Rows w({}, limits);
    const Bytes token = w.token({{0, 8}});
    Host other(w.array, "iqn.1991-05.com.microsoft:other");
    const Bytes list = Rows::write_list(token, {{0, 8}});
    CHECK(told(other.command(1, Rows::out(0x11, 2, list.size()), list)) ==
          (use == copymgr::TokenUse::bearer ? "GOOD" : "05/23/00 @16"));
    CHECK(told(w.write_using(list)) == "GOOD");
  }
  for (const bool relaxed : {false, true}) {
    copymgr::CopySettings settings;
    settings.relaxed_nexus_matching = relaxed;
    Rows w(settings);
    REQUIRE(told(w.populate(list_of(16, {{0, 8}}))) == "GOOD");
    Host second(w.array, "iqn.1991-05.com.microsoft:rows");  // another session of the same one
    scsi::CdbBytes ask{0x84, 0x07, 0, 0, 0, 1};
    base::store_be32(ask, 10, 805);
    CHECK(told(second.command(0, ask, {}, 805)) == (relaxed ? "GOOD" : "05/24/00 C2"));
  }
}

TEST_CASE("wire reference 9.4: unmapped blocks are zeros; UNMAP of the source changes it") {
  device::LogicalUnitLimits limits;
  Rows w({}, limits);
  const Bytes data = pattern(64 * 512, 6);
  const auto unmap = [&w](std::uint16_t lun, std::uint64_t lba, std::uint32_t blocks) {
    Bytes list(24);
    list[1] = 22;
    list[3] = 16;
    base::store_be64(list, 8, lba);
    base::store_be32(list, 16, blocks);
    REQUIRE(told(w.host.command(lun, scsi::CdbBytes{0x42, 0, 0, 0, 0, 0, 0, 0, 24}, list)) ==
            "GOOD");
  };
  REQUIRE(w.host.write(0, 0, data).is_good());
  REQUIRE(w.host.write(1, 0, pattern(256 * 512, 7)).is_good());
  const Bytes token = w.token({{32, 64}});  // half of it is unmapped
  REQUIRE(told(w.write_using(Rows::write_list(token, {{0, 64}}))) == "GOOD");
  Bytes expected(data.begin() + 32 * 512, data.end());
  expected.resize(64 * 512);
  CHECK(w.host.read(1, 0, 64) == expected);
  const Bytes vulnerable = w.token({{0, 64}}, 0x00800001), kept = w.token({{0, 64}}, 0x00800002);
  unmap(0, 0, 64);
  CHECK(told(w.write_using(Rows::write_list(vulnerable, {{0, 64}}))) == "05/23/08 @16");
  REQUIRE(told(w.write_using(Rows::write_list(kept, {{0, 64}}))) == "GOOD");
  CHECK(w.host.read(1, 0, 64) == data);
}

TEST_CASE("wire reference 9.7: growing does nothing, shrinking below a block ends its tokens") {
  Rows w;
  const Bytes data = pattern(8 * 512, 8);
  REQUIRE(w.host.write(0, 16376, data).is_good());
  const Bytes last = w.token({{16376, 8}}), first = w.token({{0, 8}});
  const auto change = [&w](std::uint64_t bytes) {
    REQUIRE(w.array.target->resize_unit({0}, base::ByteCount(bytes), w.array.pool));
    CHECK(told(w.host.command(0, scsi::CdbBytes{})) == "06/2A/09");
  };
  change(16u << 20);
  REQUIRE(told(w.write_using(Rows::write_list(last, {{0, 8}}))) == "GOOD");
  CHECK(w.host.read(1, 0, 8) == data);
  // Bytes 96-127 are those of READ CAPACITY(16) when it was made: block length 512.
  CHECK(Bytes(last.begin() + 96, last.begin() + 100) == hex("00 00 02 00"));
  change(4u << 20);
  CHECK(told(w.write_using(Rows::write_list(last, {{0, 8}}))) == "05/23/08 @16");
  CHECK(told(w.write_using(Rows::write_list(first, {{0, 8}}))) == "GOOD");
  CHECK(told(w.populate(list_of(16, {{8192, 1}}), 4)) == "05/21/00 @16 I=8192");
}
