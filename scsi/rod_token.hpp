// The 512 bytes of a ROD token (wire reference, section 5). Building and reading bytes only: what a
// token stands for and whether it is valid is the business of tokens/.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "base/bytes.hpp"
#include "base/units.hpp"
#include "scsi/field.hpp"

namespace scsi {

inline constexpr std::size_t rod_token_bytes = 512;
using RodTokenBytes = std::array<std::uint8_t, rod_token_bytes>;

enum class RodType : std::uint32_t {
  copy_manager_internal = 0x00000000,
  access_upon_reference = 0x00010000,
  point_in_time_default = 0x00800000,
  point_in_time_change_vulnerable = 0x00800001,
  point_in_time_persistent = 0x00800002,
  point_in_time_any = 0x0080ffff,
  block_device_zero = 0xffff0001,
};

// The types that have a name, ascending.
inline constexpr std::array<RodType, 7> named_rod_types{
    RodType::copy_manager_internal,    RodType::access_upon_reference,
    RodType::point_in_time_default,    RodType::point_in_time_change_vulnerable,
    RodType::point_in_time_persistent, RodType::point_in_time_any,
    RodType::block_device_zero};

// Some of the named types; a number from the wire that has no name is in none.
class RodTypeSet {
 public:
  constexpr RodTypeSet() = default;
  constexpr RodTypeSet(std::initializer_list<RodType> types) {
    for (const RodType type : types)
      insert(type);
  }
  constexpr void insert(RodType type) { bits_ |= bit(type); }
  constexpr bool contains(RodType type) const { return (bits_ & bit(type)) != 0; }
  constexpr bool operator==(const RodTypeSet&) const = default;

 private:
  static constexpr std::uint8_t bit(RodType type) {
    for (std::size_t i = 0; i < named_rod_types.size(); ++i) {
      if (named_rod_types[i] == type) return static_cast<std::uint8_t>(1u << i);
    }
    return 0;
  }
  std::uint8_t bits_ = 0;
};

namespace rod_token {
inline constexpr Field rod_type = Field::bytes("ROD TYPE", 0, 4);
inline constexpr Field reserved_before_length = Field::bytes("reserved", 4, 2);
inline constexpr Field length = Field::bytes("ROD TOKEN LENGTH", 6, 2);
inline constexpr Field identifier = Field::bytes("COPY MANAGER ROD TOKEN IDENTIFIER", 8, 8);
inline constexpr Field bytes_represented_high = Field::bytes("NUMBER OF BYTES REPRESENTED", 48, 8);
inline constexpr Field bytes_represented_low = Field::bytes("NUMBER OF BYTES REPRESENTED", 56, 8);
// Of a block device (5.2).
inline constexpr Field block_length = Field::bytes("LOGICAL BLOCK LENGTH IN BYTES", 96, 4);
inline constexpr Field p_type{"P_TYPE", 100, 3, 3};
inline constexpr Field prot_en = Field::flag("PROT_EN", 100, 0);
inline constexpr Field p_i_exponent{"P_I_EXPONENT", 101, 7, 4};
inline constexpr Field physical_exponent{"LOGICAL BLOCKS PER PHYSICAL BLOCK EXPONENT", 101, 3, 4};
inline constexpr Field lbpme = Field::flag("LBPME", 102, 7);
inline constexpr Field lbprz = Field::flag("LBPRZ", 102, 6);
inline constexpr Field lowest_aligned{"LOWEST ALIGNED LOGICAL BLOCK ADDRESS", 102, 5, 14};
inline constexpr std::uint16_t length_value = 0x01f8;
inline constexpr std::size_t rod_type_specific_at = 64, rod_type_specific_bytes = 32;
inline constexpr std::size_t device_reserved_at = 104;
inline constexpr std::size_t creator_at = 16, creator_bytes = 32;
inline constexpr std::size_t device_specific_at = 96, device_specific_bytes = 32;
inline constexpr std::size_t target_descriptor_at = 128, target_descriptor_bytes_max = 128;
inline constexpr std::size_t extended_data_at = 256, extended_data_bytes = 256;
}  // namespace rod_token

// What a creating copy manager puts into a token.
struct RodTokenFields {
  RodType rod_type = RodType::point_in_time_default;
  std::uint64_t identifier = 0;
  std::array<std::uint8_t, rod_token::creator_bytes>
      creator_logical_unit{};  // an E4h CSCD descriptor
  base::ByteCount bytes_represented;
  // READ CAPACITY(16) bytes 8-31, zero padded.
  std::array<std::uint8_t, rod_token::device_specific_bytes> device_specific{};
  // A designation descriptor of the target device, zero padded.
  std::array<std::uint8_t, rod_token::target_descriptor_bytes_max> target_device{};
  std::array<std::uint8_t, rod_token::extended_data_bytes> extended_data{};  // from a secure source
};
RodTokenBytes encode(const RodTokenFields& fields);

// What people call a token by: 12 digits of a hash over its bytes, which are a capability and are
// shown to nobody.
std::string hash_of(const RodTokenBytes& token);

RodType rod_type_of(const RodTokenBytes& token);
std::uint64_t identifier_of(const RodTokenBytes& token);
bool has_valid_length(const RodTokenBytes& token);
// The NAA designator of the logical unit whose data the token stands for, as the token says.
base::ByteView source_naa_of(const RodTokenBytes& token);

// The constant token that writes zeros. Recognised by its type alone, as Windows builds it itself
// and what it puts behind is not known (windows-host C.1); zeros are all that it can write.
RodTokenBytes block_device_zero_token();
bool is_block_device_zero(const RodTokenBytes& token);

// The 32-byte identification CSCD descriptor (E4h) of a logical unit with a 16-byte NAA designator.
std::array<std::uint8_t, rod_token::creator_bytes> identification_cscd_descriptor(
    const std::array<std::uint8_t, 16>& naa, base::BlockLength block_length);

}  // namespace scsi
