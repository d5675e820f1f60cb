// What the codes of RDPROTECT, WRPROTECT, VRPROTECT and ORPROTECT ask for (SBC-4 5.11 and 5.40 and
// the tables after them), on a unit that has protection information.
#pragma once

#include <cstdint>
#include <optional>

namespace scsi {

// Which fields of a block's protection information something is done with.
struct ProtectionFields {
  bool guard = false;
  bool application_tag = false;
  bool reference_tag = false;

  constexpr bool operator==(const ProtectionFields&) const = default;
};

constexpr bool is_reserved_protect(std::uint8_t code) {
  return code > 0b101;
}

// What is checked, on the medium or of what is sent. Of 000b it is the medium's.
constexpr ProtectionFields checked_fields(std::uint8_t code) {
  switch (code) {
    case 0b000:
    case 0b001:
    case 0b101:
      return {true, true, true};
    case 0b010:
      return {false, true, true};
    case 0b100:
      return {true, false, false};
    default:
      return {};
  }
}

// What of the medium's is compared with what is sent, byte by byte (BYTCHK 01b and 11b): nothing
// where nothing is sent. `tag_owner`: ATO, the application tags are the applications' own.
constexpr ProtectionFields compared_fields(std::uint8_t code, bool tag_owner) {
  if (code == 0b000) return {};
  return {code != 0b010, tag_owner, true};
}

}  // namespace scsi
