// A CDB as a declaration: its name, its opcode and service action, its fields. The reserved-bit
// check, the usage bitmap of REPORT SUPPORTED OPERATION CODES and the text trace are computed from
// it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "scsi/field.hpp"

namespace scsi {

inline constexpr std::size_t cdb_bytes_max = 32;
using CdbBytes = std::array<std::uint8_t, cdb_bytes_max>;

inline constexpr Field operation_code = Field::bytes("OPERATION CODE", 0, 1);
inline constexpr Field service_action_field{"SERVICE ACTION", 1, 4, 5};

// The variable length CDB format (SPC-4 4.2.3); those of SBC have 32 bytes.
namespace variable_length {
inline constexpr std::uint8_t opcode = 0x7f;
inline constexpr std::uint16_t control_byte = 1;
inline constexpr std::size_t header_bytes = 8;  // what ADDITIONAL CDB LENGTH does not count
inline constexpr Field additional_length = Field::bytes("ADDITIONAL CDB LENGTH", 7, 1);
inline constexpr Field service_action = Field::bytes("SERVICE ACTION", 8, 2);
}  // namespace variable_length

constexpr const Field& service_action_of(std::uint8_t opcode) {
  return opcode == variable_length::opcode ? variable_length::service_action : service_action_field;
}

struct CdbLayout {
  std::string_view name;
  std::uint8_t opcode = 0;
  std::optional<std::uint8_t> service_action;
  std::uint8_t length = 6;
  std::array<Field, 14> fields{};  // the used ones first; unused ones have no name

  constexpr bool has_variable_length() const { return opcode == variable_length::opcode; }
  constexpr std::uint16_t control_byte() const {
    return has_variable_length() ? variable_length::control_byte
                                 : static_cast<std::uint16_t>(length - 1);
  }
  // What the command is, into a CDB of it: operation code, length, service action.
  constexpr void put_name(base::ByteSpan cdb) const {
    cdb[0] = opcode;
    if (service_action) service_action_of(opcode).write(cdb, *service_action);
    if (has_variable_length()) {
      variable_length::additional_length.write(cdb, length - variable_length::header_bytes);
    }
  }
};

// The CONTROL byte: NACA is evaluated (and refused); LINK and FLAG are obsolete and ignored.
constexpr Field naca(const CdbLayout& layout) {
  return Field::flag("NACA", layout.control_byte(), 2);
}

// One bit for every bit of the CDB that is evaluated; byte 0 is the opcode and the SERVICE ACTION
// field the service action, as REPORT SUPPORTED OPERATION CODES wants them (SPC-4 6.35.3), and so
// does ADDITIONAL CDB LENGTH.
constexpr CdbBytes usage_bitmap(const CdbLayout& layout) {
  CdbBytes usage{};
  for (const Field& field : layout.fields) {
    if (!field.name.empty()) field.write(usage, field.mask());
  }
  usage[layout.control_byte()] |= 0x07;
  layout.put_name(usage);
  return usage;
}

// Which bits of a CDB may be set: those of its fields, of its name, of CONTROL, and what is behind
// its end, which is not looked at.
constexpr CdbBytes allowed_bits(const CdbLayout& layout) {
  CdbBytes allowed = usage_bitmap(layout);
  allowed[0] = 0xff;
  if (layout.service_action) {
    const Field& action = service_action_of(layout.opcode);
    action.write(allowed, action.mask());
  }
  if (layout.has_variable_length()) variable_length::additional_length.write(allowed, 0xff);
  std::fill(allowed.begin() + layout.length, allowed.end(), std::uint8_t{0xff});
  return allowed;
}

constexpr bool has_reserved_bit(const CdbBytes& allowed, const CdbBytes& cdb) {
  unsigned bad = 0;
  for (std::size_t byte = 0; byte < cdb_bytes_max; ++byte)
    bad |= cdb[byte] & ~allowed[byte] & 0xffu;
  return bad != 0;
}

// The first set bit that no field covers, most significant first; nullopt when there is none.
constexpr std::optional<FieldPointer> first_reserved_bit(const CdbLayout& layout,
                                                         base::ByteView cdb) {
  const CdbBytes allowed = allowed_bits(layout);
  for (std::uint16_t byte = 0; byte < layout.length; ++byte) {
    const unsigned bad = cdb[byte] & ~allowed[byte] & 0xffu;
    for (int bit = 7; bad != 0 && bit >= 0; --bit) {
      if ((bad >> bit) & 1) return FieldPointer{byte, static_cast<std::uint8_t>(bit), true};
    }
  }
  return std::nullopt;
}

// An all-zero CDB of the layout's command.
constexpr CdbBytes make_cdb(const CdbLayout& layout) {
  CdbBytes cdb{};
  layout.put_name(cdb);
  return cdb;
}

// The CDB length that the operation code's group tells; 0 for the vendor-specific groups, and for
// the operation codes of variable length.
constexpr std::size_t cdb_length(std::uint8_t opcode) {
  constexpr std::array<std::uint8_t, 8> by_group{6, 10, 10, 0, 16, 12, 0, 0};
  return by_group[opcode >> 5];
}

// "READ(10) LOGICAL BLOCK ADDRESS=100 TRANSFER LENGTH=8": for logs; zero fields are left out.
std::string trace(const CdbLayout& layout, base::ByteView cdb);

}  // namespace scsi
