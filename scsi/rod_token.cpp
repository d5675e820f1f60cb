#include "scsi/rod_token.hpp"

#include <algorithm>

#include "base/digest.hpp"

namespace scsi {
namespace {

constexpr std::size_t designator_at = 8;  // in an identification CSCD descriptor

template <std::size_t N>
void place(RodTokenBytes& token, std::size_t at, const std::array<std::uint8_t, N>& bytes) {
  std::copy(bytes.begin(), bytes.end(), token.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace

RodTokenBytes encode(const RodTokenFields& fields) {
  RodTokenBytes token{};
  rod_token::rod_type.write(token, static_cast<std::uint32_t>(fields.rod_type));
  rod_token::length.write(token, rod_token::length_value);
  rod_token::identifier.write(token, fields.identifier);
  rod_token::bytes_represented_low.write(token, fields.bytes_represented.value);
  place(token, rod_token::creator_at, fields.creator_logical_unit);
  place(token, rod_token::device_specific_at, fields.device_specific);
  place(token, rod_token::target_descriptor_at, fields.target_device);
  place(token, rod_token::extended_data_at, fields.extended_data);
  return token;
}

std::string hash_of(const RodTokenBytes& token) {
  constexpr std::size_t shown_bytes = 6;
  return base::to_hex(base::ByteView(base::sha256(token)).first(shown_bytes));
}

RodType rod_type_of(const RodTokenBytes& token) {
  return static_cast<RodType>(rod_token::rod_type.read(token));
}
std::uint64_t identifier_of(const RodTokenBytes& token) {
  return rod_token::identifier.read(token);
}
bool has_valid_length(const RodTokenBytes& token) {
  return rod_token::length.read(token) == rod_token::length_value;
}

RodTokenBytes block_device_zero_token() {
  RodTokenBytes token{};
  rod_token::rod_type.write(token, static_cast<std::uint32_t>(RodType::block_device_zero));
  rod_token::length.write(token, rod_token::length_value);
  return token;
}

bool is_block_device_zero(const RodTokenBytes& token) {
  return rod_type_of(token) == RodType::block_device_zero;
}

base::ByteView source_naa_of(const RodTokenBytes& token) {
  return base::ByteView(token).subspan(rod_token::creator_at + designator_at, 16);
}

std::array<std::uint8_t, rod_token::creator_bytes> identification_cscd_descriptor(
    const std::array<std::uint8_t, 16>& naa, base::BlockLength block_length) {
  std::array<std::uint8_t, rod_token::creator_bytes> out{};
  out[0] = 0xe4;  // DESCRIPTOR TYPE CODE
  out[4] = 0x01;  // CODE SET: binary
  out[5] = 0x03;  // ASSOCIATION: logical unit; DESIGNATOR TYPE: NAA
  out[7] = static_cast<std::uint8_t>(naa.size());
  std::copy(naa.begin(), naa.end(), out.begin() + designator_at);
  base::store_be(out, 29, 3, block_length.bytes);
  return out;
}

}  // namespace scsi
