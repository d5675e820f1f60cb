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

inline constexpr std::size_t cdb_bytes_max = 16;
using CdbBytes = std::array<std::uint8_t, cdb_bytes_max>;

inline constexpr Field operation_code = Field::bytes("OPERATION CODE", 0, 1);
inline constexpr Field service_action_field{"SERVICE ACTION", 1, 4, 5};

struct CdbLayout {
  std::string_view name;
  std::uint8_t opcode = 0;
  std::optional<std::uint8_t> service_action;
  std::uint8_t length = 6;
  std::array<Field, 14> fields{};  // the used ones first; unused ones have no name

  constexpr std::uint16_t control_byte() const { return static_cast<std::uint16_t>(length - 1); }
};

// The CONTROL byte: NACA is evaluated (and refused); LINK and FLAG are obsolete and ignored.
constexpr Field naca(const CdbLayout& layout) {
  return Field::flag("NACA", layout.control_byte(), 2);
}

// One bit for every bit of the CDB that is evaluated; byte 0 is the opcode and the SERVICE ACTION
// field the service action, as REPORT SUPPORTED OPERATION CODES wants them (SPC-4 6.35.3).
constexpr CdbBytes usage_bitmap(const CdbLayout& layout) {
  CdbBytes usage{};
  for (const Field& field : layout.fields) {
    if (!field.name.empty()) field.write(usage, field.mask());
  }
  usage[layout.control_byte()] |= 0x07;
  usage[0] = layout.opcode;
  if (layout.service_action) service_action_field.write(usage, *layout.service_action);
  return usage;
}

// The first set bit that no field covers, most significant first; nullopt when there is none.
constexpr std::optional<FieldPointer> first_reserved_bit(const CdbLayout& layout,
                                                         base::ByteView cdb) {
  CdbBytes usage = usage_bitmap(layout);
  usage[0] = 0xff;
  if (layout.service_action) service_action_field.write(usage, service_action_field.mask());
  for (std::uint16_t byte = 0; byte < layout.length; ++byte) {
    const unsigned bad = cdb[byte] & ~usage[byte] & 0xffu;
    for (int bit = 7; bad != 0 && bit >= 0; --bit) {
      if ((bad >> bit) & 1) return FieldPointer{byte, static_cast<std::uint8_t>(bit), true};
    }
  }
  return std::nullopt;
}

// An all-zero CDB of the layout's command.
constexpr CdbBytes make_cdb(const CdbLayout& layout) {
  CdbBytes cdb{};
  cdb[0] = layout.opcode;
  if (layout.service_action) service_action_field.write(cdb, *layout.service_action);
  return cdb;
}

// The CDB length that the operation code's group tells; 0 for the vendor-specific and 32-byte
// groups.
constexpr std::size_t cdb_length(std::uint8_t opcode) {
  constexpr std::array<std::uint8_t, 8> by_group{6, 10, 10, 0, 16, 12, 0, 0};
  return by_group[opcode >> 5];
}

// "READ(10) LOGICAL BLOCK ADDRESS=100 TRANSFER LENGTH=8": for logs; zero fields are left out.
std::string trace(const CdbLayout& layout, base::ByteView cdb);

}  // namespace scsi
