// Standard INQUIRY data and the VPD pages of a disk as bytes, from a unit's identity and limits
// (SPC-4 6.4, 7.8; SBC-4 6.6). Page 8Fh has its own file, third_party_copy_page.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "scsi/field.hpp"

namespace scsi {

// Who a logical unit is, on every path and after every restart.
struct UnitIdentity {
  std::string vendor = "COPYMGR";         // 8 characters at most
  std::string product = "Virtual Array";  // 16 at most
  std::string revision = "0001";          // 4 at most
  std::string serial;                     // VPD 80h, ASCII
  std::array<std::uint8_t, 16> naa{};     // NAA 6h
  std::array<std::uint8_t, 8> eui64{};
};

// The port that a command came through.
struct PortIdentity {
  std::string target_name;  // iSCSI name
  std::uint16_t portal_group_tag = 1;
  std::uint16_t relative_port = 1;
};

// A designation descriptor (SPC-4 7.8.6).
namespace designation {
inline constexpr Field code_set{"CODE SET", 0, 3, 4};
inline constexpr Field association{"ASSOCIATION", 1, 5, 2};
inline constexpr Field designator_type{"DESIGNATOR TYPE", 1, 3, 4};
inline constexpr std::size_t designator_at = 4;
}  // namespace designation

enum class Presence : std::uint8_t {
  connected = 0x00,     // a disk
  no_such_unit = 0x7f,  // peripheral qualifier 011b, device type 1Fh
};

struct InquiryBits {
  bool removable_medium = false;
  bool has_protection = false;  // information beside the blocks
  bool third_party_copy = true;
};
std::vector<std::uint8_t> standard_inquiry(const UnitIdentity& identity, Presence presence,
                                           const InquiryBits& bits = {});

// Zero in a field that may be zero means what SBC-4 6.6.4 says of it.
struct BlockLimits {
  base::BlockCount maximum_transfer_length;
  base::BlockCount optimal_transfer_length;
  std::uint16_t optimal_granularity_blocks = 8;
  base::BlockCount maximum_compare_and_write_length;  // 255 at most
  base::BlockCount maximum_unmap_lba_count;
  std::uint32_t maximum_unmap_descriptors = 0;
  base::BlockCount optimal_unmap_granularity;  // aligned to LBA 0; zero of units without UNMAP
  base::BlockCount maximum_write_same_length;
  base::BlockCount maximum_atomic_transfer_length;  // of any alignment and granularity
};

// The page codes must be ascending with 00h first: one mistake here turns ODX off in Windows (R1).
std::vector<std::uint8_t> supported_vpd_pages(std::vector<std::uint8_t> codes);
std::vector<std::uint8_t> unit_serial_number_page(const UnitIdentity& identity);
// The designation descriptors of page 83h that name the unit itself, in their order.
std::vector<std::vector<std::uint8_t>> unit_designation_descriptors(const UnitIdentity& identity);
std::vector<std::uint8_t> device_identification_page(const UnitIdentity& identity,
                                                     const PortIdentity& port);
// No management address is known to a unit: management is by the array's own socket.
std::vector<std::uint8_t> management_network_addresses_page();
// What is checked of protection information, and of which type it is: 1 to 3, 0 for none.
struct ProtectionSupport {
  std::uint8_t type = 0;
  bool application_tag_checked = false;
};
std::vector<std::uint8_t> extended_inquiry_page(const ProtectionSupport& protection = {});
// All mode pages are shared by all nexuses (SPC-4 7.8.8).
std::vector<std::uint8_t> mode_page_policy_page();
// Every port of the target, ascending by relative port identifier.
std::vector<std::uint8_t> scsi_ports_page(const std::vector<PortIdentity>& ports);
std::vector<std::uint8_t> block_limits_page(const BlockLimits& limits);
std::vector<std::uint8_t> block_device_characteristics_page();
// A threshold set has 2^threshold_exponent blocks.
std::vector<std::uint8_t> logical_block_provisioning_page(std::uint8_t threshold_exponent);

// A designation descriptor of the target device (association 10b, SCSI name string), as token bytes
// 128-255 want it; zero padded, cut if the name is too long to fit.
std::array<std::uint8_t, 128> target_device_designator(const std::string& target_name);

struct CapacityData {
  base::BlockCount capacity;
  base::BlockLength block_length;
  std::uint8_t physical_exponent = 0;  // log2 of logical blocks in a physical block
  bool thin = false;                   // LBPME, and LBPRZ: what is unmapped reads as zeros
  std::uint8_t protection_type = 0;    // 1 to 3; 0: no protection information
};
std::vector<std::uint8_t> read_capacity_10_data(const CapacityData& capacity);
std::vector<std::uint8_t> read_capacity_16_data(const CapacityData& capacity);

}  // namespace scsi
