// CDBs as Windows sends them (windows-host B.1-B.4, D) and as section 1 lays them out.
#include "scsi/block_cdbs.hpp"
#include "scsi/copy_cdbs.hpp"
#include "scsi/primary_cdbs.hpp"
#include "tests/wire/golden.hpp"

namespace {

using namespace wire;

void check_clean(const scsi::CdbLayout& layout, const Bytes& cdb) {
  INFO(layout.name);
  REQUIRE(cdb.size() == layout.length);
  CHECK(cdb[0] == layout.opcode);
  if (layout.service_action) {
    CHECK(scsi::service_action_field.read(cdb) == *layout.service_action);
  }
  CHECK_FALSE(scsi::first_reserved_bit(layout, cdb));
}

}  // namespace

TEST_CASE("B.1 POPULATE TOKEN: list identifier at 6-9, length at 10-13") {
  const Bytes cdb = hex("83 10 00 00 00 00 12 34 56 78 00 00 04 10 00 00");
  check_clean(scsi::populate_token::layout, cdb);
  CHECK(scsi::token_command::list_identifier.read(cdb) == 0x12345678);
  CHECK(scsi::token_command::parameter_list_length.read(cdb) == 0x410);
  CHECK(scsi::token_command::group_number.read(cdb) == 0);
}

TEST_CASE("B.2 RECEIVE ROD TOKEN INFORMATION: list identifier at 2-5, allocation 0325h") {
  const Bytes cdb = hex("84 07 12 34 56 78 00 00 00 00 00 00 03 25 00 00");
  check_clean(scsi::receive_copy::rod_token_information_layout, cdb);
  CHECK(scsi::receive_copy::list_identifier.read(cdb) == 0x12345678);
  CHECK(scsi::receive_copy::allocation_length.read(cdb) == 805);
}

TEST_CASE("B.3 WRITE USING TOKEN: as POPULATE TOKEN with action 11h") {
  const Bytes cdb = hex("83 11 00 00 00 00 FF FF FF FE 00 00 02 28 00 00");
  check_clean(scsi::write_using_token::layout, cdb);
  CHECK(scsi::token_command::list_identifier.read(cdb) == 0xfffffffe);
  CHECK(scsi::token_command::parameter_list_length.read(cdb) == 552);
}

TEST_CASE("B.4 RECEIVE ROD TOKEN INFORMATION after a write, the four lengths of Windows") {
  for (const std::uint32_t length : {0xffffu, 0x618u, 0x298u, 0x228u}) {
    Bytes cdb = hex("84 07 00 00 00 01 00 00 00 00 00 00 00 00 00 00");
    put(cdb, 10, 4, length);
    check_clean(scsi::receive_copy::rod_token_information_layout, cdb);
    CHECK(scsi::receive_copy::allocation_length.read(cdb) == length);
  }
}

TEST_CASE("1.1 1.2 COPY OPERATION ABORT and RECEIVE COPY STATUS have the identifier at 2-5") {
  const Bytes abort = hex("83 1C 0A 0B 0C 0D 00 00 00 00 00 00 00 00 00 00");
  check_clean(scsi::copy_operation_abort::layout, abort);
  CHECK(scsi::copy_operation_abort::list_identifier.read(abort) == 0x0a0b0c0d);
  const Bytes status = hex("84 05 0A 0B 0C 0D 00 00 00 00 00 00 00 20 00 00");
  check_clean(scsi::receive_copy::status_layout, status);
  CHECK(scsi::receive_copy::list_identifier.read(status) == 0x0a0b0c0d);
}

TEST_CASE("1.4 GROUP NUMBER is accepted, six bits of it") {
  const Bytes cdb = hex("83 10 00 00 00 00 00 00 00 00 00 00 00 20 3F 00");
  check_clean(scsi::populate_token::layout, cdb);
  Bytes bad = cdb;
  bad[14] = 0x40;
  CHECK(scsi::first_reserved_bit(scsi::populate_token::layout, bad) ==
        scsi::FieldPointer{14, 6, true});
}

TEST_CASE("1.1 the trap: an identifier at the other command's place is reserved bits") {
  CHECK(scsi::first_reserved_bit(scsi::populate_token::layout,
                                 hex("83 10 12 34 56 78 00 00 00 00 00 00 00 20 00 00")) ==
        scsi::FieldPointer{2, 4, true});
  CHECK(scsi::first_reserved_bit(scsi::receive_copy::rod_token_information_layout,
                                 hex("84 07 00 00 00 00 12 34 56 78 00 00 03 25 00 00")) ==
        scsi::FieldPointer{6, 4, true});
}

TEST_CASE("D the CDBs of a Windows bring-up have no reserved bits") {
  check_clean(scsi::inquiry::layout, hex("12 00 00 00 24 00"));
  check_clean(scsi::inquiry::layout, hex("12 01 00 00 FF 00"));
  check_clean(scsi::inquiry::layout, hex("12 01 8F 00 FF 00"));
  check_clean(scsi::mode_sense::layout_6, hex("1A 00 08 00 C0 00"));
  check_clean(scsi::mode_sense::layout_6, hex("1A 08 1C 00 C0 00"));
  check_clean(scsi::mode_sense::layout_6, hex("1A 00 3F 00 C0 00"));
  check_clean(scsi::mode_select::layout_6, hex("15 10 00 00 18 00"));
  check_clean(scsi::read_capacity::layout_10, hex("25 00 00 00 00 00 00 00 00 00"));
  check_clean(scsi::read_capacity::layout_16,
              hex("9E 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00"));
  check_clean(scsi::report_luns::layout, hex("A0 00 00 00 00 00 00 00 10 00 00 00"));
  check_clean(scsi::synchronize_cache::layout_10, hex("35 00 00 00 00 00 00 00 00 00"));
  check_clean(scsi::test_unit_ready::layout, hex("00 00 00 00 00 00"));
  check_clean(scsi::start_stop_unit::layout, hex("1B 00 00 00 01 00"));
  check_clean(scsi::media::write_16, hex("8A 08 00 00 00 00 00 00 00 00 00 00 00 08 00 00"));
}
