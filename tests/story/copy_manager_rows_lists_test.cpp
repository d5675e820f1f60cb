// Wire reference 8.1 to 8.5 and 8.7 to 8.9, with 4.6 and 4.8 of EXTENDED COPY: its parameter lists,
// row by row.
#include "tests/story/xcopy_rows.hpp"

using namespace story;

namespace {

device::LogicalUnitLimits small_limits() {
  device::LogicalUnitLimits limits;
  limits.copies.extended_copy.maximum_cscd_descriptors = 3;
  limits.copies.extended_copy.maximum_segment_descriptors = 2;
  limits.copies.extended_copy.maximum_descriptor_list_bytes = 160;
  limits.copies.extended_copy.maximum_inline_data_bytes = 600;
  limits.copies.extended_copy.maximum_segment_bytes = 64 * 512;
  return limits;
}

}  // namespace

TEST_CASE("wire reference 8.5 rows, and 8.1: the parameter list of EXTENDED COPY") {
  XcopyRows w({}, small_limits());
  const Bytes before = w.host.read(1, 0, 16);
  w.fill(0, 128, 1);
  const Bytes good = w.list({segment_02(0, 1, 8, 0, 0)});
  const auto with = [&good](std::size_t at, std::uint8_t value) {
    Bytes out = good;
    out[at] = value;
    return out;
  };
  const std::vector<Bytes> cscds(4, w.naa(0));
  const Bytes one = segment_02(0, 1, 1, 0, 0);
  Bytes code_14 = w.list({hex("14 00 00 18")});
  code_14.resize(16 + 64 + 28);
  base::store_be32(code_14, 8, 28);
  struct Row {
    const char* name;
    Bytes list;
    const char* answer;
  };
  const std::vector<Row> rows{
      {"'PARAMETER LIST LENGTH 0'", {}, "GOOD"},
      {"'truncates header'", first(good, 15), "05/1A/00"},
      {"'truncates CSCD list'", first(good, 16 + 63), "05/1A/00"},
      {"'truncates segment list'", first(good, good.size() - 1), "05/1A/00"},
      {"'or inline data'", with(15, 4), "05/1A/00"},
      {"'CSCD count > max'", lid1_list(1, 0, cscds, {}), "05/26/06 @2"},
      {"'segment count > max'", w.list({one, one, one}), "05/26/08 @8"},
      {"'> MAXIMUM DESCRIPTOR LIST LENGTH'",
       lid1_list(1, 0, {cscds[0], cscds[0], cscds[0]}, {one, one, one}), "05/1A/00"},
      {"'inline > max'", with_inline(good, Bytes(601)), "05/26/0B @12"},
      {"inline at the maximum", with_inline(good, Bytes(600)), "GOOD"},
      {"'CSCD type unknown'", with(16 + 32, 0xe0), "05/26/07 @48"},
      {"'segment type unknown'", code_14, "05/26/09 @80"},
      {"'CSCD list length not multiple of 32'", with(3, 65), "05/26/00 @2"},
      {"'segment longer than MAXIMUM SEGMENT LENGTH'", w.list({segment_02(0, 1, 65, 0, 0)}),
       "0A/26/00 #0 S10"},
      {"a segment of that length", w.list({segment_02(0, 1, 64, 0, 0)}), "GOOD"},
      {"'bad id in segment', source", w.list({one, segment_02(2, 1, 1, 0, 0)}), "0A/08/04 #1 S4"},
      {"'bad id in segment', destination", w.list({segment_02(0, 0x7ff, 1, 0, 0)}),
       "0A/08/04 #0 S6"},
      {"'PDT mismatch'", with(16 + 1, 0x01), "0A/0D/03 #0 @17"},
      {"8.1 LIST ID USAGE 01b", with(1, 0x08), "05/26/00 @1"},
      {"8.1 11b with an identifier", with(1, 0x18), "05/26/00 @0"},
      {"8.4 'Count 0 = no data'", w.list({segment_02(0, 1, 0, 0, 0)}), "GOOD"},
      {"8.4 02h of another length", with(16 + 64 + 3, 0x19), "05/26/00 @82"},
  };
  for (const Row& row : rows) {
    INFO("8.5 row " << row.name);
    CHECK(told_of_copy(w.copy(row.list)) == row.answer);
  }
  CHECK(w.host.connected());
  CHECK(w.host.read(1, 64, 16) == before);
}

TEST_CASE("wire reference 8.5 row 'LBA beyond capacity', 8.7, 8.8, 8.9, 4.8 column RCS LID1") {
  XcopyRows w;
  const Bytes data = w.fill(0, 8, 2);
  const Bytes bad = w.list({segment_02(0, 1, 8, 0, 0), segment_02(0, 1, 4, 16382, 8)}, 7);
  const Answer answer = w.copy(bad);
  // Not 0D/01: hosts (iscsi-test-cu) take 00/00, 08/04 and 0D/02 with this key. The unit's own
  // 05/21/00 stands behind it, from byte 18 on, as byte 8 says.
  const Bytes sense =
      hex("70 00 0A 00 00 00 00 1D  12 00 00 01 00 00 00 A0 00 0C"
          "02  F0 00 05 00 00 40 00 0A  00 00 00 00 21 00 00 00 00 00");
  CHECK(answer.sense_bytes == sense);
  CHECK(w.host.read(1, 0, 8) == data);  // the segment before it
  CHECK(w.ask_short(0x00, 7).data == hex("00 00 00 08  02 00 01 00  00 00 10 00"));
  Bytes details = hex("00 00 00 5D");
  details.resize(56);
  details = joined({details, hex("02 00 00 25"), sense});
  CHECK(w.ask_short(0x04, 7).data == details);
  CHECK(told(w.ask_short(0x04, 7)) == "05/24/00 C2");
  // Of the destination: byte 9 instead.
  const Answer other = w.copy(w.list({segment_02(0, 1, 4, 0, 16382)}));
  CHECK(first(other.sense_bytes, 18) ==
        hex("70 00 0A 00 00 00 00 1D  00 12 00 00 00 00 00 A0 00 14"));
  // 8.7: 'Reading a finished record deletes it'; 8.8: nothing to tell of what went well.
  REQUIRE(told(w.copy(w.list({segment_02(0, 1, 8, 0, 0)}, 8))) == "GOOD");
  CHECK(w.ask_short(0x04, 8).data == hex("00 00 00 00"));
  REQUIRE(told(w.copy(w.list({segment_02(0, 1, 8, 0, 0)}, 8))) == "GOOD");
  CHECK(w.ask_short(0x00, 8).data == hex("00 00 00 08  01 00 01 00  00 00 10 00"));
  CHECK(told(w.ask_short(0x00, 8)) == "05/24/00 C2");
}

TEST_CASE("wire reference 9.2 in 8.9: what a CSCD would have answered is forwarded") {
  XcopyRows w({}, {}, {"memory:8M,failing", "memory:8M,provisioned=128K", "memory:8M"});
  REQUIRE(w.host.write(1, 0, pattern(256 * 512, 3)).is_good());
  const Bytes copy = w.list({segment_02(0, 1, 8, 0, 1024)});
  const auto forwarded = [](const Answer& answer) {
    CHECK(told_of_copy(answer).substr(0, 8) == "0A/0D/01");
    REQUIRE(answer.sense_bytes.size() == 37);
    return Bytes{answer.sense_bytes[18], answer.sense_bytes[21], answer.sense_bytes[31],
                 answer.sense_bytes[32]};
  };
  w.array.reads_fail = true;
  CHECK(forwarded(w.copy(copy)) == hex("02 03 11 00"));  // 'medium error reading the source'
  w.array.reads_fail = false;
  REQUIRE(w.host.write(0, 0, pattern(8 * 512, 4)).is_good());
  CHECK(forwarded(w.copy(copy)) == hex("02 07 27 07"));  // 'thin pool full'
  REQUIRE(told(w.host.command(1, scsi::CdbBytes{0x1b})) == "GOOD");
  CHECK(forwarded(w.copy(copy)) == hex("02 02 04 02"));  // 'not ready'
}

TEST_CASE("wire reference 8.2: LID4, its identifiers, IMMED and G_SENSE") {
  XcopyRows w;
  const Bytes data = w.fill(0, 8, 5);
  const auto list = [&w](std::uint8_t usage, std::uint8_t flags, std::uint16_t source = 1) {
    return lid4_list(usage == 0x18 ? 0 : 0x01020304, usage, flags, w.both(),
                     {segment_02(source, 2, 8, 0, 0)});
  };
  CHECK(told_of_copy(w.copy(list(0, 0), 1)) == "GOOD");
  CHECK(w.host.read(1, 0, 8) == data);
  CHECK(told_of_copy(w.copy(list(0, 0, 3), 1)) == "0A/08/04 #0 S4");
  Bytes other_form = list(0, 0);
  other_form[0] = 0x02;
  CHECK(told(w.copy(other_form, 1)) == "05/26/00 @0");
  const Answer informed = w.copy(list(0, 0x02), 1);
  CHECK(informed.is_good());
  CHECK(informed.sense_bytes == hex("70 00 0F 00 00 00 00 0A  00 00 00 00 00 20 00 00 00 00"));
  CHECK(told(w.copy(list(0, 0x03), 1)).substr(0, 8) == "05/24/00");
  CHECK(told(w.copy(list(0x18, 0x01), 1)).substr(0, 8) == "05/24/00");
  CHECK(told(w.copy(list(0, 0x01), 1)) == "GOOD");
  Bytes status = w.ask(0x05, 0x01020304).data;
  REQUIRE(status.size() == 32);
  status[6] = status[7] = 0;
  CHECK(status == hex("00 00 00 1C  01 01 00 00  FF FF FF FE  00 00 00 00"
                      "00 00 00 00  00 00 10 00  00 01 00 00  00 00 00 00"));
}

TEST_CASE("wire reference 8.3 rows: which CSCDs are taken") {
  XcopyRows w;
  const Bytes data = w.fill(0, 8, 11);
  const auto by = [&w](std::size_t at, std::uint8_t value) {
    Bytes out = w.list({segment_02(0, 1, 8, 0, 0)});
    out[16 + 32 + at] = value;
    return told_of_copy(w.copy(out));
  };
  for (const std::uint8_t type : {0xe0, 0xe1, 0xe2, 0xe3, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xeb})
    CHECK(by(0, type) == "05/26/07 @48");
  CHECK(by(0, 0xe4) == "GOOD");
  CHECK(w.host.read(1, 0, 8) == data);
  CHECK(by(1, 0x40) == "GOOD");              // 'LU ID TYPE is to be ignored for E4h'
  CHECK(by(0, 0xff) == "0A/26/00 #0 S6");    // 'naming it directly'
  CHECK(by(23, 0x00) == "0A/08/04 #0 S6");   // no unit has that name
  CHECK(by(29, 0x01) == "0A/26/00 #0 @77");  // DISK BLOCK LENGTH that is not its own
  Bytes any_length = w.naa(1);
  any_length[30] = 0;  // 0: not told
  CHECK(told(w.copy(lid1_list(1, 0, {w.naa(0), any_length}, {segment_02(0, 1, 8, 0, 0)}))) ==
        "GOOD");
  for (const auto& [id, answer] : {std::pair{0xffff, "GOOD"},
                                   {0xf800, "0A/08/04 #0 S4"},
                                   {0xc000, "0A/08/04 #0 S4"},
                                   {0xc001, "0A/08/04 #0 S4"},
                                   {0x07ff, "0A/08/04 #0 S4"}}) {
    const auto source = static_cast<std::uint16_t>(id);
    CHECK(told_of_copy(w.copy(w.list({segment_02(source, 1, 8, 0, 0)}))) == answer);
  }
}

TEST_CASE("wire reference 8.4 rows: which segments are taken; PAD, CAT and DC") {
  XcopyRows w;
  const Bytes data = w.fill(0, 64, 12);
  for (const std::uint8_t type : {0x00, 0x01, 0x0d, 0x14, 0x16}) {
    Bytes segment = segment_02(0, 1, 1, 0, 0);
    segment[0] = type;
    CHECK(told_of_copy(w.copy(w.list({segment}))) == "05/26/09 @80");
  }
  const auto only = [&w](const char* segment) {
    return told_of_copy(w.copy(w.list({hex(segment)})));
  };
  CHECK(only("07 00 00 08 00 01 00 00 01 00 00 00") == "GOOD");
  CHECK(only("07 00 00 08 00 02 00 00 00 00 00 00") == "0A/08/04 #0 S4");
  CHECK(only("0A 00 00 1C 00 00 00 01 00 00 02 58 00 00 00 00 00 00 00 01"
             "00 00 00 00 00 00 00 00 00 0A 00 00") == "GOOD");  // 600 bytes
  CHECK(first(w.host.read(1, 0, 2), 600) ==
        Bytes(data.begin() + 512 + 10, data.begin() + 512 + 610));
  // CSCD 1 is LUN 2: 12 blocks of 512 are one and a half of its own.
  const auto to_large = [&w](std::uint8_t pads, std::vector<Bytes> segments) {
    std::vector<Bytes> cscds{w.naa(0), w.naa(2, 4096)};
    cscds[pads & 1][28] = pads == 0 ? 0 : 0x04;
    return told_of_copy(w.copy(lid1_list(1, 0, cscds, segments)));
  };
  const auto large = [&w](std::uint64_t lba, std::uint32_t blocks) {
    return w.host.read(2, lba, blocks, 4096);
  };
  Bytes carries = segment_02(0, 1, 12, 0, 10), counts_destination = segment_02(0, 1, 1, 0, 20);
  carries[1] = 0x01;                                                      // CAT
  counts_destination[1] = 0x02;                                           // DC
  CHECK(to_large(0, {segment_02(0, 1, 12, 0, 0)}) == "0A/26/0A #0 S10");  // 'neither'
  CHECK(to_large(1, {segment_02(0, 1, 12, 0, 0)}) == "GOOD");
  CHECK(large(0, 2) == joined({part(data, 0, 12), Bytes(4 * 512)}));
  CHECK(to_large(2, {segment_02(0, 1, 12, 0, 4)}) == "GOOD");  // PAD of the source: cut
  CHECK(large(4, 2) == joined({part(data, 0, 8), Bytes(4096)}));
  CHECK(to_large(0, {carries, segment_02(0, 1, 4, 40, 11)}) == "GOOD");
  CHECK(large(10, 2) == joined({part(data, 0, 12), part(data, 40, 4)}));
  CHECK(to_large(0, {counts_destination}) == "GOOD");
  CHECK(large(20, 2) == joined({part(data, 0, 8), Bytes(4096)}));
}

TEST_CASE("wire reference 8.1 and 4.6: LIST ID USAGE; 4.8 column RCS LID1") {
  XcopyRows w;
  const Bytes good = segment_02(0, 1, 8, 0, 0), bad = segment_02(0, 9, 8, 0, 0);
  const auto status = [&w](std::uint8_t id) { return told(w.ask_short(0x00, id)); };
  const auto copy = [&w](std::uint8_t id, std::uint8_t usage, const Bytes& segment) {
    return told_of_copy(w.copy(lid1_list(id, usage, w.both(), {segment})));
  };
  CHECK(copy(7, 0x10, good) == "GOOD");  // 10b
  CHECK(status(7) == "05/24/00 C2");
  CHECK(copy(7, 0x10, bad) == "0A/08/04 #0 S6");
  CHECK(w.ask_short(0x00, 7).data == hex("00 00 00 08  02 00 00 00  00 00 00 00"));
  CHECK(copy(0, 0x18, good) == "GOOD");  // 11b
  CHECK(status(0) == "05/24/00 C2");
  CHECK(copy(7, 0x00, bad) == "0A/08/04 #0 S6");
  CHECK(copy(7, 0x00, good) == "GOOD");  // 'new originating command, same id'
  CHECK(w.ask_short(0x00, 7).data == hex("00 00 00 08  01 00 01 00  00 00 10 00"));
  CHECK(copy(7, 0x00, good) == "GOOD");
  SECTION("'LU reset'") {
    w.array.copy_manager.volume_reset(1);
  }
  SECTION("'I_T nexus loss'") {
    w.array.copy_manager.nexus_lost(1);
  }
  CHECK(status(7) == "05/24/00 C2");
}
