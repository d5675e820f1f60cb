#include "tools/host/lun_facts.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "scsi/block_cdbs.hpp"
#include "scsi/primary_cdbs.hpp"
#include "tools/host/pages.hpp"

namespace host {
namespace {

using base::fail;
using scsi::Field;
using Bytes = std::vector<std::uint8_t>;
constexpr std::size_t standard_inquiry_bytes = 36;
constexpr Field peripheral_qualifier{"PERIPHERAL QUALIFIER", 0, 7, 3};
constexpr Field peripheral_device_type{"PERIPHERAL DEVICE TYPE", 0, 4, 5};
constexpr Field maximum_transfer_length = Field::bytes("MAXIMUM TRANSFER LENGTH", 8, 4);
constexpr Field last_lba_16 = Field::bytes("RETURNED LOGICAL BLOCK ADDRESS", 0, 8);
constexpr Field block_length_16 = Field::bytes("LOGICAL BLOCK LENGTH IN BYTES", 8, 4);
constexpr Field last_lba_10 = Field::bytes("RETURNED LOGICAL BLOCK ADDRESS", 0, 4);
constexpr Field block_length_10 = Field::bytes("LOGICAL BLOCK LENGTH IN BYTES", 4, 4);

std::string trimmed(base::ByteView bytes) {
  std::string text(base::as_text(bytes));
  text.erase(text.find_last_not_of(std::string(" \0", 2)) + 1);
  for (char& c : text)
    c = c >= 0x20 && c < 0x7f ? c : '?';
  return text;
}

std::optional<std::string> learn_identity(Lun& lun, LunFacts& facts) {
  const auto data = read_inquiry(lun, std::nullopt, windows_allocation_bytes);
  if (!data) return data.error();
  if (data->size() < standard_inquiry_bytes) return "INQUIRY: the answer is too short";
  if (peripheral_qualifier.read(*data) != 0) return "there is no such LUN on this target";
  if (const auto type = peripheral_device_type.read(*data); type != 0) {
    return fmt::format("not a disk (peripheral device type {:02X}h)", type);
  }
  const base::ByteView bytes(*data);
  facts.vendor = trimmed(bytes.subspan(8, 8));
  facts.product = trimmed(bytes.subspan(16, 16));
  facts.revision = trimmed(bytes.subspan(32, 4));
  return std::nullopt;
}

std::optional<std::string> learn_capacity(Lun& lun, LunFacts& facts) {
  constexpr std::size_t bytes_16 = 32, needed_16 = 12, bytes_10 = 8;
  Command command = make_command(scsi::read_capacity::layout_16);
  scsi::read_capacity::allocation_length.write(command.cdb, bytes_16);
  auto data = read_in(lun, command, bytes_16);
  const bool has_16 = data && data->size() >= needed_16;
  if (!has_16) {
    const auto old = read_in(lun, make_command(scsi::read_capacity::layout_10), bytes_10);
    if (!old) return data ? old.error() : data.error();
    if (old->size() < bytes_10) return "READ CAPACITY(10): the answer is too short";
    facts.capacity = base::BlockCount(last_lba_10.read(*old) + 1);
    facts.block_length.bytes = static_cast<std::uint32_t>(block_length_10.read(*old));
  } else {
    facts.capacity = base::BlockCount(last_lba_16.read(*data) + 1);
    facts.block_length.bytes = static_cast<std::uint32_t>(block_length_16.read(*data));
  }
  if (facts.block_length.bytes == 0) return "READ CAPACITY tells a block length of 0";
  return std::nullopt;
}

// Designation descriptors: association 00b (the unit), EUI-64 (2) or NAA (3).
Bytes unit_designator(base::ByteView page) {
  constexpr unsigned eui64 = 2, naa = 3;
  for (std::size_t at = page_header_bytes; at + 4 <= page.size(); at += 4 + page[at + 3]) {
    const unsigned association = (page[at + 1] >> 4) & 3, type = page[at + 1] & 0x0f;
    const bool whole = at + 4 + page[at + 3] <= page.size();
    if (whole && association == 0 && (type == eui64 || type == naa)) {
      return {page.begin() + static_cast<std::ptrdiff_t>(at),
              page.begin() + static_cast<std::ptrdiff_t>(at + 4 + page[at + 3])};
    }
  }
  return {};
}

void learn_pages(Lun& lun, LunFacts& facts) {
  const auto supported = read_page(lun, 0x00);
  if (lists(supported, 0xb0)) {
    const auto limits = read_page(lun, 0xb0);
    if (limits && limits->size() >= maximum_transfer_length.end_byte()) {
      facts.maximum_transfer_length = base::BlockCount(maximum_transfer_length.read(*limits));
    }
  }
  if (lists(supported, 0x83)) {
    if (const auto page = read_page(lun, 0x83)) facts.designator = unit_designator(*page);
  }
  const auto copy = lists(supported, 0x8f) ? read_page(lun, 0x8f) : std::nullopt;
  facts.capability = odx_capability(view(supported), view(copy));
}

}  // namespace

base::Result<LunFacts, std::string> learn(Lun& lun) {
  LunFacts facts;
  if (auto trouble = learn_identity(lun, facts)) return fail(*trouble);
  // Unit attentions of the new session end here: INQUIRY does not take them.
  const Command ready = make_command(scsi::test_unit_ready::layout);
  if (const Reply reply = execute_patiently(lun, ready); !reply.good()) {
    return fail(refused(ready, reply));
  }
  if (auto trouble = learn_capacity(lun, facts)) return fail(*trouble);
  learn_pages(lun, facts);
  return facts;
}

}  // namespace host
