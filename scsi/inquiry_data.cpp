#include "scsi/inquiry_data.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "scsi/field.hpp"

namespace scsi {
namespace {

using Bytes = std::vector<std::uint8_t>;

// `width` ASCII characters, padded with spaces.
void place_text(Bytes& out, std::size_t at, std::size_t width, std::string_view text) {
  std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(at), width, std::uint8_t{' '});
  std::copy_n(text.begin(), std::min(width, text.size()),
              out.begin() + static_cast<std::ptrdiff_t>(at));
}

Bytes page(std::uint8_t code, std::size_t body_bytes) {
  Bytes out(4 + body_bytes);
  out[1] = code;
  base::store_be16(out, 2, static_cast<std::uint16_t>(body_bytes));
  return out;
}

enum class CodeSet : std::uint8_t { binary = 1, ascii = 2, utf8 = 3 };
enum class Association : std::uint8_t { logical_unit = 0, target_port = 1, target_device = 2 };
enum class Designator : std::uint8_t {
  t10_vendor = 1,
  eui64 = 2,
  naa = 3,
  relative_target_port = 4,
  target_port_group = 5,
  scsi_name = 8,
};

Bytes designation_descriptor(CodeSet code_set, Association association, Designator type,
                             base::ByteView value) {
  constexpr std::uint8_t iscsi_protocol = 0x5;
  const bool of_a_port = association != Association::logical_unit;
  Bytes out(4);
  out[0] = static_cast<std::uint8_t>((of_a_port ? iscsi_protocol << 4 : 0) |
                                     static_cast<std::uint8_t>(code_set));
  out[1] = static_cast<std::uint8_t>((of_a_port ? 0x80 : 0) |
                                     static_cast<std::uint8_t>(association) << 4 |
                                     static_cast<std::uint8_t>(type));
  out[3] = static_cast<std::uint8_t>(value.size());
  out.insert(out.end(), value.begin(), value.end());
  return out;
}

// SCSI name strings are NUL terminated and padded to a multiple of four (SPC-4 7.8.6.11).
Bytes name_string(std::string_view name) {
  Bytes out(name.begin(), name.end());
  out.resize((out.size() + 4) / 4 * 4);
  return out;
}

Bytes scsi_name(Association association, std::string_view name) {
  return designation_descriptor(CodeSet::utf8, association, Designator::scsi_name,
                                name_string(name));
}

// The iSCSI name of a target port (RFC 7143 4.4.4).
Bytes port_name(const PortIdentity& port) {
  return scsi_name(Association::target_port,
                   fmt::format("{},t,0x{:04x}", port.target_name, port.portal_group_tag));
}

}  // namespace

Bytes standard_inquiry(const UnitIdentity& identity, Presence presence, const InquiryBits& bits) {
  constexpr Field rmb = Field::flag("RMB", 1, 7);
  constexpr Field third_party_copy = Field::flag("3PC", 5, 3);
  constexpr Field protect = Field::flag("PROTECT", 5, 0);
  constexpr std::size_t bytes = 96;
  constexpr std::array<std::uint16_t, 5> version_descriptors{0x00a0,   // SAM-5
                                                             0x0960,   // iSCSI
                                                             0x0460,   // SPC-4
                                                             0x04c0,   // SBC-3
                                                             0x0600};  // SBC-4
  Bytes out(bytes);
  out[0] = static_cast<std::uint8_t>(presence);
  rmb.write(out, bits.removable_medium);
  out[2] = 0x06;         // SPC-4
  out[3] = 0x10 | 0x02;  // HISUP, RESPONSE DATA FORMAT 2
  out[4] = bytes - 5;
  out[5] = 0x30;  // TPGS: implicit and explicit
  third_party_copy.write(out, bits.third_party_copy);
  protect.write(out, bits.has_protection);
  out[7] = 0x02;  // CMDQUE
  place_text(out, 8, 8, identity.vendor);
  place_text(out, 16, 16, identity.product);
  place_text(out, 32, 4, identity.revision);
  for (std::size_t i = 0; i < version_descriptors.size(); ++i) {
    base::store_be16(out, 58 + 2 * i, version_descriptors[i]);
  }
  return out;
}

Bytes supported_vpd_pages(Bytes codes) {
  std::sort(codes.begin(), codes.end());
  Bytes out = page(0x00, codes.size());
  std::copy(codes.begin(), codes.end(), out.begin() + 4);
  return out;
}

Bytes unit_serial_number_page(const UnitIdentity& identity) {
  Bytes out = page(0x80, identity.serial.size());
  std::copy(identity.serial.begin(), identity.serial.end(), out.begin() + 4);
  return out;
}

std::vector<Bytes> unit_designation_descriptors(const UnitIdentity& identity) {
  constexpr auto unit = Association::logical_unit;
  Bytes t10(8);
  place_text(t10, 0, 8, identity.vendor);
  t10.insert(t10.end(), identity.serial.begin(), identity.serial.end());
  return {designation_descriptor(CodeSet::binary, unit, Designator::naa, identity.naa),
          designation_descriptor(CodeSet::ascii, unit, Designator::t10_vendor, t10),
          designation_descriptor(CodeSet::binary, unit, Designator::eui64, identity.eui64),
          scsi_name(unit, "naa." + base::to_hex(identity.naa))};
}

Bytes device_identification_page(const UnitIdentity& identity, const PortIdentity& port) {
  constexpr auto target_port = Association::target_port;
  Bytes relative_port(4), port_group(4);
  base::store_be16(relative_port, 2, port.relative_port);
  base::store_be16(port_group, 2, port.portal_group_tag);
  Bytes out = page(0x83, 0);
  for (const Bytes& part : unit_designation_descriptors(identity)) {
    out.insert(out.end(), part.begin(), part.end());
  }
  for (const Bytes& part :
       {designation_descriptor(CodeSet::binary, target_port, Designator::relative_target_port,
                               relative_port),
        designation_descriptor(CodeSet::binary, target_port, Designator::target_port_group,
                               port_group),
        port_name(port), scsi_name(Association::target_device, port.target_name)}) {
    out.insert(out.end(), part.begin(), part.end());
  }
  base::store_be16(out, 2, static_cast<std::uint16_t>(out.size() - 4));
  return out;
}

Bytes management_network_addresses_page() {
  return page(0x85, 0);
}

Bytes extended_inquiry_page(const ProtectionSupport& protection) {
  // SPT: just this type (SPC-4 7.8.7).
  constexpr std::array<std::uint8_t, 4> type_supported{0, 0b000, 0b010, 0b100};
  constexpr Field supported_type{"SPT", 4, 5, 3};
  constexpr Field guard_check = Field::flag("GRD_CHK", 4, 2);
  constexpr Field application_tag_check = Field::flag("APP_CHK", 4, 1);
  constexpr Field reference_tag_check = Field::flag("REF_CHK", 4, 0);
  constexpr Field head_of_queue = Field::flag("HEADSUP", 5, 2);
  constexpr Field ordered = Field::flag("ORDSUP", 5, 1);
  constexpr Field simple = Field::flag("SIMPSUP", 5, 0);
  constexpr Field volatile_cache = Field::flag("V_SUP", 6, 0);
  Bytes out = page(0x86, 0x3c);
  for (const Field& supported : {head_of_queue, ordered, simple, volatile_cache})
    supported.write(out, 1);
  supported_type.write(out, type_supported[protection.type]);
  guard_check.write(out, protection.type != 0);
  application_tag_check.write(out, protection.application_tag_checked);
  // The reference tags of type 3 are the applications' own.
  reference_tag_check.write(out, protection.type == 1 || protection.type == 2);
  return out;
}

Bytes mode_page_policy_page() {
  enum : std::uint8_t { all_pages = 0x3f, all_subpages = 0xff, shared = 0x00 };
  Bytes out = page(0x87, 4);
  out[4] = all_pages;
  out[5] = all_subpages;
  out[6] = shared;
  return out;
}

Bytes scsi_ports_page(const std::vector<PortIdentity>& ports) {
  Bytes out = page(0x88, 0);
  for (const PortIdentity& port : ports) {
    Bytes descriptor(12);  // without an initiator port's TransportID
    const Bytes name = port_name(port);
    base::store_be16(descriptor, 2, port.relative_port);
    base::store_be16(descriptor, 10, static_cast<std::uint16_t>(name.size()));
    out.insert(out.end(), descriptor.begin(), descriptor.end());
    out.insert(out.end(), name.begin(), name.end());
  }
  base::store_be16(out, 2, static_cast<std::uint16_t>(out.size() - 4));
  return out;
}

Bytes block_limits_page(const BlockLimits& limits) {
  const auto put32 = [](Bytes& out, std::size_t at, base::BlockCount count) {
    base::store_be32(out, at, static_cast<std::uint32_t>(count.value));
  };
  Bytes out = page(0xb0, 0x3c);
  out[4] = 0x01;  // WSNZ: WRITE SAME of zero blocks is no command
  out[5] = static_cast<std::uint8_t>(limits.maximum_compare_and_write_length.value);
  base::store_be16(out, 6, limits.optimal_granularity_blocks);
  put32(out, 8, limits.maximum_transfer_length);
  put32(out, 12, limits.optimal_transfer_length);
  put32(out, 20, limits.maximum_unmap_lba_count);
  base::store_be32(out, 24, limits.maximum_unmap_descriptors);
  put32(out, 28, limits.optimal_unmap_granularity);
  // UGAVALID, and the alignment is 0.
  base::store_be32(out, 32, limits.optimal_unmap_granularity.value != 0 ? 1u << 31 : 0);
  base::store_be64(out, 36, limits.maximum_write_same_length.value);
  put32(out, 44, limits.maximum_atomic_transfer_length);
  return out;
}

Bytes block_device_characteristics_page() {
  Bytes out = page(0xb1, 0x3c);
  base::store_be16(out, 4, 1);  // MEDIUM ROTATION RATE: non-rotating
  // WABEREQ and WACEREQ 01b: blocks can be read after SANITIZE without having been written.
  out[7] = 0x50;
  out[8] = 0x01;  // VBULS: VERIFY with data also works on unmapped blocks
  return out;
}

Bytes logical_block_provisioning_page(std::uint8_t threshold_exponent) {
  constexpr std::uint8_t lbpu = 0x80, lbpws = 0x40, lbpws10 = 0x20, lbprz_zeros = 0x04;
  constexpr std::uint8_t thin = 0x02;
  Bytes out = page(0xb2, 4);
  out[4] = threshold_exponent;
  out[5] = lbpu | lbpws | lbpws10 | lbprz_zeros;
  out[6] = thin;  // PROVISIONING TYPE
  return out;
}

std::array<std::uint8_t, 128> target_device_designator(const std::string& target_name) {
  std::array<std::uint8_t, 128> out{};
  // A shorter name stays whole; 223 characters, the most an iSCSI name can have, do not fit in 124.
  const Bytes descriptor =
      scsi_name(Association::target_device, std::string_view(target_name).substr(0, 120));
  std::copy(descriptor.begin(), descriptor.end(), out.begin());
  return out;
}

Bytes read_capacity_10_data(const CapacityData& capacity) {
  Bytes out(8);
  const std::uint64_t last = capacity.capacity.value - 1;
  base::store_be32(out, 0, static_cast<std::uint32_t>(std::min<std::uint64_t>(last, 0xffffffff)));
  base::store_be32(out, 4, capacity.block_length.bytes);
  return out;
}

// One tuple a logical block: P_I_EXPONENT is zero.
Bytes read_capacity_16_data(const CapacityData& capacity) {
  constexpr Field protection_type{"P_TYPE", 12, 3, 3};
  constexpr Field protection_enabled = Field::flag("PROT_EN", 12, 0);
  Bytes out(32);
  base::store_be64(out, 0, capacity.capacity.value - 1);
  base::store_be32(out, 8, capacity.block_length.bytes);
  protection_enabled.write(out, capacity.protection_type != 0);
  protection_type.write(out, capacity.protection_type == 0 ? 0 : capacity.protection_type - 1u);
  out[13] = capacity.physical_exponent & 0x0f;
  if (capacity.thin) out[14] = 0xc0;  // LBPME, LBPRZ
  return out;
}

}  // namespace scsi
