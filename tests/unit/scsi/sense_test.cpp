// Sense data: named makers, both formats, and back.
#include "scsi/sense.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/scsi/hex.hpp"

namespace {

using namespace scsi;
using scsi::test::hex;
using PointsInto = Sense::PointsInto;

std::vector<std::uint8_t> fixed(const Sense& sense) {
  const FixedSense bytes = to_fixed_format(sense);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("fixed format, byte for byte") {
  // Wire reference 0: key, ASC, ASCQ; SKSV and pointer into the parameter list.
  CHECK(fixed(sense::illegal_parameter(asc::invalid_field_in_parameter_list, {14})) ==
        hex("70 00 05 00 00 00 00 0A 00 00 00 00 26 00 00 80 00 0E"));
  // C/D tells the CDB; BPV and bit.
  CHECK(fixed(sense::invalid_field_in_cdb(Field{"SERVICE ACTION", 1, 4, 5})) ==
        hex("70 00 05 00 00 00 00 0A 00 00 00 00 24 00 00 CC 00 01"));
  // VALID and INFORMATION, 0 included.
  Sense short_copy = sense::make(SenseKey::copy_aborted, asc::copy_target_data_underrun);
  short_copy.information = 0x12345678;
  CHECK(fixed(short_copy) == hex("F0 00 0A 12 34 56 78 0A 00 00 00 00 0D 04 00 00 00 00"));
  short_copy.information = 0;
  CHECK(fixed(short_copy) == hex("F0 00 0A 00 00 00 00 0A 00 00 00 00 0D 04 00 00 00 00"));
  CHECK(fixed(Sense{}) == hex("70 00 00 00 00 00 00 0A 00 00 00 00 00 00 00 00 00 00"));
}

TEST_CASE("a field pointer of two bytes and bit 0") {
  CHECK(fixed(sense::illegal_parameter(asc::invalid_field_in_parameter_list, {534, 0, true})) ==
        hex("70 00 05 00 00 00 00 0A 00 00 00 00 26 00 00 88 02 16"));
}

TEST_CASE("information beyond 32 bits is not told in fixed format, and not cut") {
  const Sense far = sense::lba_out_of_range(0x100000000);
  CHECK(fixed(far) == hex("70 00 05 00 00 00 00 0A 00 00 00 00 21 00 00 00 00 00"));
  CHECK(fixed(sense::lba_out_of_range(0xffffffff))[0] == 0xf0);
  CHECK(parse_sense(to_descriptor_format(far))->information == 0x100000000);
}

TEST_CASE("descriptor format, byte for byte") {
  CHECK(to_descriptor_format(sense::unit_attention(asc::power_on_occurred)) ==
        hex("72 06 29 00 00 00 00 00"));
  CHECK(to_descriptor_format(sense::lba_out_of_range(0x0102030405060708)) ==
        hex("72 05 21 00 00 00 00 0C 00 0A 80 00 01 02 03 04 05 06 07 08"));
}

TEST_CASE("progress stands in the sense-key-specific bytes, in both formats") {
  const Sense half = sense::in_progress(asc::sanitize_in_progress, 0x8001);
  CHECK(fixed(half) == hex("70 00 02 00 00 00 00 0A 00 00 00 00 04 1B 00 80 80 01"));
  CHECK(to_descriptor_format(half) == hex("72 02 04 1B 00 00 00 08 02 06 00 00 80 80 01 00"));
  CHECK(parse_sense(to_fixed_format(half)) == half);
  CHECK(parse_sense(to_descriptor_format(half)) == half);
  CHECK(fixed(sense::in_progress(asc::format_in_progress, 0)) ==
        hex("70 00 02 00 00 00 00 0A 00 00 00 00 04 04 00 80 00 00"));
  CHECK(to_text(half) == "02/04/1B 32769/65536 done");
  // Under another key the same bytes mean something else; without SKSV, nothing.
  CHECK_FALSE(parse_sense(hex("70 00 03 00 00 00 00 0A 00 00 00 00 04 1B 00 80 80 01"))->progress);
  CHECK_FALSE(parse_sense(hex("70 00 02 00 00 00 00 0A 00 00 00 00 04 1B 00 00 80 01"))->progress);
}

TEST_CASE("fixed format survives a round trip for every key, pointer and information") {
  for (unsigned key = 0; key < 16; ++key) {
    for (const PointsInto into :
         {PointsInto::nothing, PointsInto::cdb, PointsInto::parameter_list}) {
      for (const bool bit_valid : {false, true}) {
        Sense out = sense::make(static_cast<SenseKey>(key), {0x5a, 0xa5});
        // The sense-key-specific bytes mean a field pointer under ILLEGAL REQUEST only.
        if (out.key == SenseKey::illegal_request && into != PointsInto::nothing) {
          out.points_into = into;
          out.field = {0x0216, static_cast<std::uint8_t>(bit_valid ? 3 : 7), bit_valid};
        }
        out.information = key % 2 == 0 ? std::nullopt : std::optional<std::uint64_t>(key * 99);
        CHECK(parse_sense(to_fixed_format(out)) == out);
      }
    }
  }
}

TEST_CASE("descriptor format survives a round trip without pointers") {
  for (unsigned key = 0; key < 16; ++key) {
    Sense out = sense::make(static_cast<SenseKey>(key), {0x12, 0x34});
    if (key % 2 == 1) out.information = ~std::uint64_t{0} - key;
    CHECK(parse_sense(to_descriptor_format(out)) == out);
  }
}

TEST_CASE("deferred sense and foreign descriptors are read, rubbish is not") {
  CHECK(parse_sense(hex("71 00 03 00 00 00 00 0A 00 00 00 00 0C 00"))->key ==
        SenseKey::medium_error);
  // A vendor descriptor before the information descriptor.
  CHECK(parse_sense(hex("73 0A 0D 04 00 00 00 10 80 02 AA BB 00 0A 80 00 00 00 00 00 00 00 00 07"))
            ->information == 7);
  // An information descriptor that is not VALID, or that is cut.
  CHECK_FALSE(
      parse_sense(hex("72 05 21 00 00 00 00 0C 00 0A 00 00 00 00 00 00 00 00 00 07"))->information);
  CHECK_FALSE(parse_sense(hex("72 05 21 00 00 00 00 0C 00 0A 80 00 00 00"))->information);
  CHECK_FALSE(parse_sense({}));
  CHECK_FALSE(parse_sense(hex("00")));
  CHECK_FALSE(parse_sense(hex("7F 00 05 00 00 00 00 0A 00 00 00 00 26 00 00 80 00 0E")));
  CHECK_FALSE(parse_sense(hex("70 00 05 00")));
  CHECK_FALSE(parse_sense(hex("72 05 21")));
}

TEST_CASE("the field of a descriptor is pointed to from the start of the list") {
  const Sense at = sense::invalid_field_in_parameter_list(Field::bytes("F", 8, 4), 536);
  CHECK(at.field == FieldPointer{544, 7, false});
  CHECK(at.points_into == PointsInto::parameter_list);
}

TEST_CASE("sense as a person reads it") {
  CHECK(to_text(sense::illegal_parameter(asc::invalid_field_in_parameter_list, {14})) ==
        "05/26/00 at parameter list byte 14");
  CHECK(to_text(sense::invalid_field_in_cdb(Field::flag("NACA", 15, 2))) ==
        "05/24/00 at CDB byte 15 bit 2");
  CHECK(to_text(sense::lba_out_of_range(9)) == "05/21/00 information 9");
}

TEST_CASE("additional sense codes have the numbers of the standard") {
  using namespace asc;
  const std::pair<AdditionalSense, AdditionalSense> expected[] = {
      {operation_in_progress, {0x00, 0x16}},
      {becoming_ready, {0x04, 0x01}},
      {not_ready_initializing_required, {0x04, 0x02}},
      {format_in_progress, {0x04, 0x04}},
      {sanitize_in_progress, {0x04, 0x1b}},
      {medium_format_corrupted, {0x31, 0x00}},
      {format_command_failed, {0x31, 0x01}},
      {sanitize_command_failed, {0x31, 0x03}},
      {unreachable_copy_target, {0x08, 0x04}},
      {write_error, {0x0c, 0x00}},
      {third_party_device_failure, {0x0d, 0x01}},
      {copy_target_data_underrun, {0x0d, 0x04}},
      {unrecovered_read_error, {0x11, 0x00}},
      {parameter_list_length_error, {0x1a, 0x00}},
      {invalid_operation_code, {0x20, 0x00}},
      {lba_out_of_range, {0x21, 0x00}},
      {token_cause_not_reportable, {0x23, 0x00}},
      {unsupported_token_type, {0x23, 0x01}},
      {remote_token_usage_not_supported, {0x23, 0x02}},
      {token_unknown, {0x23, 0x04}},
      {token_corrupt, {0x23, 0x05}},
      {token_revoked, {0x23, 0x06}},
      {token_expired, {0x23, 0x07}},
      {token_cancelled, {0x23, 0x08}},
      {token_deleted, {0x23, 0x09}},
      {invalid_token_length, {0x23, 0x0a}},
      {invalid_field_in_cdb, {0x24, 0x00}},
      {logical_unit_not_supported, {0x25, 0x00}},
      {invalid_field_in_parameter_list, {0x26, 0x00}},
      {too_many_segment_descriptors, {0x26, 0x08}},
      {write_protected, {0x27, 0x00}},
      {space_allocation_failed, {0x27, 0x07}},
      {power_on_occurred, {0x29, 0x00}},
      {mode_parameters_changed, {0x2a, 0x01}},
      {commands_cleared_by_device_server, {0x2f, 0x02}},
      {saving_parameters_not_supported, {0x39, 0x00}},
      {inquiry_data_has_changed, {0x3f, 0x03}},
      {reported_luns_data_has_changed, {0x3f, 0x0e}},
      {internal_target_failure, {0x44, 0x00}},
      {invalid_message_error, {0x49, 0x00}},
      {data_phase_error, {0x4b, 0x00}},
      {not_enough_unsolicited_data, {0x0c, 0x0d}},
      {insufficient_resources, {0x55, 0x03}},
  };
  for (const auto& [ours, standard] : expected)
    CHECK(ours == standard);
}
