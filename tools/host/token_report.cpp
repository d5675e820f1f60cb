#include "tools/host/token_report.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace host {
namespace {

using scsi::RodTokenAnatomy;

int digit_of(std::uint8_t character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

bool is_separator(std::uint8_t character) {
  return std::string_view(" \t\r\n\f\v:,-").find(static_cast<char>(character)) !=
         std::string_view::npos;
}

// The digits of a hexadecimal text; the error is the place of what is none.
base::Result<std::vector<std::uint8_t>, std::size_t> digits_of(base::ByteView text) {
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool prefix = text[i] == '0' && i + 1 < text.size() && (text[i + 1] | 0x20) == 'x' &&
                        (i == 0 || is_separator(text[i - 1]));
    if (prefix) ++i;
    if (prefix || is_separator(text[i])) continue;
    const int digit = digit_of(text[i]);
    if (digit < 0) return base::fail(i);
    out.push_back(static_cast<std::uint8_t>(digit));
  }
  return out;
}

Row text_row(std::string key, std::string label, std::string text) {
  return {std::move(key), std::move(label), std::move(text), {}};
}

Rows head_rows(const scsi::RodTokenBytes& token, const RodTokenAnatomy& anatomy) {
  return {
      text_row("hash", "hash", scsi::hash_of(token)),
      text_row("rod_type", "ROD type", scsi::to_text(anatomy.rod_type)),
      text_row("rod_type_code", {},
               fmt::format("{:08x}h", static_cast<std::uint32_t>(anatomy.rod_type))),
      {"rod_token_length", "ROD TOKEN LENGTH", std::uint64_t{anatomy.length},
       fmt::format("{:04x}h ({} bytes in all)", anatomy.length, anatomy.length + 8u)},
  };
}

std::string bytes_text(const RodTokenAnatomy& anatomy) {
  using enum RodTokenAnatomy::BytesSaid;
  switch (anatomy.bytes_said) {
    case plainly:
      return fmt::format("{} ({} bytes)", shown_bytes(anatomy.bytes_represented),
                         anatomy.bytes_represented.value);
    case in_upper_half:
      return fmt::format("{} ({} bytes), if QNAP made it: said in the upper 64 bits",
                         shown_bytes(anatomy.bytes_represented), anatomy.bytes_represented.value);
    case unknown:
      return "unknown (all FFh)";
    case not_at_all:
      return "not told (0)";
    case beyond_reason:
      return "more than 2^64";
  }
  return "unknown";
}

void add_creator(Rows& rows, const RodTokenAnatomy& anatomy) {
  const RodTokenAnatomy::Creator& creator = anatomy.creator;
  const bool named = !creator.designator.bytes.empty();
  rows.push_back({"creator.descriptor_type", {}, fmt::format("{:02x}h", creator.type_code), {}});
  rows.push_back({"creator.designator", "made by logical unit", {}, {}});
  if (named) rows.back().value = scsi::to_text(creator.designator);
  rows.push_back({"creator.device_type", {}, std::uint64_t{creator.device_type}, {}});
  rows.push_back({"creator.block_length_bytes", {}, std::uint64_t{creator.block_length.bytes}, {}});
  rows.push_back({"target", "of target device", {}, {}});
  if (anatomy.target) rows.back().value = scsi::to_text(*anatomy.target);
}

void add_device(Rows& rows, const RodTokenAnatomy::Device& device) {
  const auto flag = [&](std::string key, bool value) {
    rows.push_back({"device." + key, {}, value, {}});
  };
  std::string text = fmt::format("{}-byte blocks, {} in a physical block, lowest aligned LBA {}",
                                 device.block_length.bytes, 1u << device.physical_exponent,
                                 device.lowest_aligned_lba);
  if (device.thin) text += ", thin";
  if (device.reads_zeros) text += ", unmapped blocks read as zeros";
  if (device.protection_enabled)
    text += fmt::format(", protection type {}", device.protection_type);
  rows.push_back({{}, "device", std::move(text), {}});
  rows.push_back({"device.block_length_bytes", {}, std::uint64_t{device.block_length.bytes}, {}});
  rows.push_back({"device.logical_blocks_per_physical_block",
                  {},
                  std::uint64_t{1} << device.physical_exponent,
                  {}});
  rows.push_back({"device.lowest_aligned_lba", {}, std::uint64_t{device.lowest_aligned_lba}, {}});
  flag("thin", device.thin);
  flag("unmapped_reads_zeros", device.reads_zeros);
  rows.push_back({"device.protection_type", {}, std::uint64_t{device.protection_type}, {}});
}

void add_extended(Rows& rows, const RodTokenAnatomy::Extended& extended) {
  const auto bits = static_cast<std::uint64_t>(extended.bits_at_most);
  rows.push_back({{},
                  "extended data",
                  fmt::format("{} bytes from byte {}, {} of them not zero, at most {} random bits",
                              extended.bytes, extended.at, extended.not_zero, bits),
                  {}});
  rows.push_back({"extended_data.at", {}, std::uint64_t{extended.at}, {}});
  rows.push_back({"extended_data.bytes", {}, std::uint64_t{extended.bytes}, {}});
  rows.push_back({"extended_data.bytes_not_zero", {}, std::uint64_t{extended.not_zero}, {}});
  rows.push_back({"extended_data.random_bits_at_most", {}, bits, {}});
}

void add_body(Rows& rows, const RodTokenAnatomy& anatomy) {
  rows.push_back(
      text_row("identifier", "identifier", fmt::format("0x{:016x}", anatomy.identifier)));
  rows.push_back({"bytes_represented", "bytes represented", {}, bytes_text(anatomy)});
  if (anatomy.bytes_represented.value != 0) rows.back().value = anatomy.bytes_represented.value;
  add_creator(rows, anatomy);
  add_device(rows, anatomy.device);
  add_extended(rows, anatomy.extended);
  if (anatomy.maybe_freebsd) {
    rows.push_back(text_row("note", "note",
                            "made as FreeBSD makes them: what is copied is what the source holds "
                            "when the token is used"));
  }
}

std::string sense_text(const RodTokenAnatomy& anatomy) {
  if (const auto sense = scsi::sense_of_bytes(anatomy)) return scsi::to_text(*sense);
  if (anatomy.zero_token) return "none: it writes zeros";
  return "none of its own: GOOD where it was made and lives; elsewhere 05/23/04, or 05/23/01 where "
         "the type is not taken, 05/23/05 where it bears the array's mark";
}

}  // namespace

base::Result<scsi::RodTokenBytes, std::string> read_token(base::ByteView input) {
  scsi::RodTokenBytes out{};
  const auto digits = digits_of(input);
  if (digits && digits->size() == 2 * out.size()) {
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<std::uint8_t>((*digits)[2 * i] << 4 | (*digits)[2 * i + 1]);
    return out;
  }
  if (input.size() == out.size()) {
    std::copy(input.begin(), input.end(), out.begin());
    return out;
  }
  if (digits) {
    return base::fail(
        fmt::format("a token has {} bytes, 1024 hexadecimal digits: here are {} digits", out.size(),
                    digits->size()));
  }
  return base::fail(
      fmt::format("a token has {} bytes: here are {}, and they are no hexadecimal digits (byte {})",
                  out.size(), input.size(), digits.error()));
}

Rows token_rows(const scsi::RodTokenBytes& token, const std::optional<TokenVerdict>& verdict) {
  const RodTokenAnatomy anatomy = scsi::dissect(token);
  Rows rows = head_rows(token, anatomy);
  if (anatomy.zero_token) {
    rows.push_back(text_row("note", "note", "the constant that writes zeros; it never ends"));
  } else {
    add_body(rows, anatomy);
  }
  rows.push_back({"zero_token", {}, anatomy.zero_token, {}});
  std::vector<std::string> flaws;
  for (const scsi::TokenFlaw& flaw : anatomy.flaws)
    flaws.push_back(fmt::format("byte {}: {}", flaw.byte, flaw.text));
  for (std::size_t i = 0; i < flaws.size(); ++i)
    rows.push_back(text_row({}, i == 0 ? "not as it should be" : " ", flaws[i]));
  rows.push_back({"flaws", {}, std::move(flaws), {}});
  rows.push_back(text_row({}, "sense of a use", sense_text(anatomy)));
  const auto sense = scsi::sense_of_bytes(anatomy);
  rows.push_back({"sense", {}, {}, {}});
  if (sense) rows.back().value = scsi::to_text(*sense);
  if (!verdict) return rows;
  rows.push_back(text_row("daemon.state", "the daemon says", verdict->state));
  rows.push_back({"daemon.sense", verdict->sense.empty() ? "" : "its sense", {}, {}});
  if (!verdict->sense.empty()) rows.back().value = verdict->sense;
  rows.push_back(text_row("daemon.seal", "its seal", verdict->seal));
  return rows;
}

}  // namespace host
