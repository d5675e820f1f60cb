#include "scsi/rod_token_anatomy.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "scsi/extended_copy_parameters.hpp"
#include "scsi/inquiry_data.hpp"
#include "scsi/token_parameters.hpp"

namespace scsi {
namespace {

using base::ByteView;

constexpr std::uint8_t association_unit = 0, association_target_device = 2;
constexpr std::uint8_t type_eui64 = 2, type_naa = 3, type_scsi_name = 8;
constexpr std::uint8_t code_set_binary = 1;
constexpr double due_bits = 256;
constexpr std::size_t designation_length_at = 3;

bool all_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool names_a_device(std::uint8_t type) {
  return type == type_eui64 || type == type_naa || type == type_scsi_name;
}

std::vector<std::uint8_t> copy_of(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

// By how often each value is there: random bytes come to nearly eight bits each, copies of one
// value to none.
double bits_at_most(ByteView bytes) {
  std::array<std::size_t, 256> times{};
  for (const std::uint8_t byte : bytes)
    ++times[byte];
  double bits = 0;
  for (const std::size_t n : times) {
    const double count = static_cast<double>(n), all = static_cast<double>(bytes.size());
    if (n != 0) bits += count * std::log2(all / count);
  }
  return bits;
}

class Dissection {
 public:
  explicit Dissection(const RodTokenBytes& token) : token_(token) {}

  RodTokenAnatomy done() {
    head();
    if (out_.zero_token) return std::move(out_);
    creator();
    bytes_represented();
    device();
    target();
    extended();
    out_.maybe_freebsd =
        out_.rod_type == RodType::access_upon_reference && out_.identifier >> 32 == 0;
    return std::move(out_);
  }

 private:
  template <class... Args>
  void flaw(std::size_t byte, fmt::format_string<Args...> text, Args&&... args) {
    out_.flaws.push_back(
        {static_cast<std::uint16_t>(byte), fmt::format(text, std::forward<Args>(args)...)});
  }
  ByteView part(std::size_t at, std::size_t bytes) const { return token_.subspan(at, bytes); }

  void head() {
    out_.rod_type = static_cast<RodType>(rod_token::rod_type.read(token_));
    out_.length = static_cast<std::uint16_t>(rod_token::length.read(token_));
    out_.identifier = rod_token::identifier.read(token_);
    out_.zero_token = out_.rod_type == RodType::block_device_zero;
    if (!is_token_type(out_.rod_type) && !out_.zero_token)
      flaw(rod_token::rod_type.byte, "no token is of type {}", to_text(out_.rod_type));
    if (rod_token::reserved_before_length.is_set(token_))
      flaw(rod_token::reserved_before_length.byte, "reserved bytes are not zero");
    if (out_.length != rod_token::length_value) {
      flaw(rod_token::length.byte, "ROD TOKEN LENGTH is {:04x}h, not {:04x}h", out_.length,
           rod_token::length_value);
    }
    if (out_.zero_token && !all_zero(token_.subspan(rod_token::identifier.byte)))
      flaw(rod_token::identifier.byte, "a zero token with more than its type in it");
  }

  void creator() {
    const ByteView at = part(rod_token::creator_at, rod_token::creator_bytes);
    RodTokenAnatomy::Creator& creator = out_.creator;
    creator.type_code = static_cast<std::uint8_t>(cscd::type_code.read(at));
    creator.device_type = static_cast<std::uint8_t>(cscd::device_type.read(at));
    if (creator.type_code != static_cast<std::uint8_t>(CscdType::identification)) {
      return flaw(rod_token::creator_at,
                  "the creator is described by a CSCD descriptor of type {:02x}h, not E4h",
                  creator.type_code);
    }
    creator.block_length.bytes = static_cast<std::uint32_t>(cscd::block_length.read(at));
    creator.designator.code_set = static_cast<std::uint8_t>(cscd::code_set.read(at));
    creator.designator.association = static_cast<std::uint8_t>(cscd::association.read(at));
    creator.designator.type = static_cast<std::uint8_t>(cscd::designator_type.read(at));
    const std::size_t length = cscd::designator_length.read(at);
    if (length == 0 || length > cscd::designator_bytes_max) {
      return flaw(rod_token::creator_at + cscd::designator_length.byte,
                  "the creator's designator has {} bytes, not 1 to {}", length,
                  cscd::designator_bytes_max);
    }
    creator.designator.bytes = copy_of(at.subspan(cscd::designator_at, length));
    check_creator(at.subspan(cscd::designator_at + length, cscd::designator_bytes_max - length));
  }

  void check_creator(ByteView behind) {
    const Designator& designator = out_.creator.designator;
    if (designator.association != association_unit) {
      flaw(rod_token::creator_at + cscd::association.byte,
           "the creator's designator names no logical unit (association {})",
           designator.association);
    }
    if (designator.type != type_eui64 && designator.type != type_naa) {
      flaw(rod_token::creator_at + cscd::designator_type.byte,
           "the creator's designator is of type {}, neither EUI-64 nor NAA", designator.type);
    }
    if (!all_zero(behind)) {
      flaw(rod_token::creator_at + cscd::designator_at + designator.bytes.size(),
           "bytes behind the creator's designator are not zero");
    }
  }

  void bytes_represented() {
    using enum RodTokenAnatomy::BytesSaid;
    constexpr std::uint64_t all_ones = ~std::uint64_t{0};
    const std::uint64_t high = rod_token::bytes_represented_high.read(token_);
    const std::uint64_t low = rod_token::bytes_represented_low.read(token_);
    const std::size_t at = rod_token::bytes_represented_high.byte;
    out_.bytes_represented = base::ByteCount(high == 0 ? low : high);
    if (high == all_ones && low == all_ones) {
      out_.bytes_said = unknown;
      out_.bytes_represented = {};
    } else if (high == 0 && low == 0) {
      out_.bytes_said = not_at_all;
      flaw(at, "NUMBER OF BYTES REPRESENTED is 0");
    } else if (high != 0 && low == 0) {
      out_.bytes_said = in_upper_half;
      flaw(at, "NUMBER OF BYTES REPRESENTED stands in its upper 64 bits, as QNAP has it");
    } else if (high != 0) {
      out_.bytes_said = beyond_reason;
      out_.bytes_represented = {};
      flaw(at, "NUMBER OF BYTES REPRESENTED is more than 2^64");
    }
    if (!all_zero(part(rod_token::rod_type_specific_at, rod_token::rod_type_specific_bytes)))
      flaw(rod_token::rod_type_specific_at, "reserved bytes are not zero");
  }

  void device() {
    RodTokenAnatomy::Device& device = out_.device;
    device.block_length.bytes = static_cast<std::uint32_t>(rod_token::block_length.read(token_));
    device.protection_enabled = rod_token::prot_en.is_set(token_);
    if (device.protection_enabled)
      device.protection_type = static_cast<std::uint8_t>(rod_token::p_type.read(token_) + 1);
    device.protection_interval_exponent =
        static_cast<std::uint8_t>(rod_token::p_i_exponent.read(token_));
    device.physical_exponent = static_cast<std::uint8_t>(rod_token::physical_exponent.read(token_));
    device.thin = rod_token::lbpme.is_set(token_);
    device.reads_zeros = rod_token::lbprz.is_set(token_);
    device.lowest_aligned_lba = static_cast<std::uint16_t>(rod_token::lowest_aligned.read(token_));
    check_device();
  }

  void check_device() {
    const std::uint32_t block = out_.device.block_length.bytes;
    const std::uint32_t creators = out_.creator.block_length.bytes;
    const std::size_t at = rod_token::block_length.byte;
    if (block == 0) {
      flaw(at, "LOGICAL BLOCK LENGTH IN BYTES is 0");
    } else if (out_.bytes_represented.value % block != 0) {
      flaw(at, "{} bytes are no whole number of {}-byte blocks", out_.bytes_represented.value,
           block);
    }
    if (creators != 0 && creators != block)
      flaw(at, "{}-byte blocks here, {}-byte blocks in the creator's descriptor", block, creators);
    constexpr std::size_t end = rod_token::device_specific_at + rod_token::device_specific_bytes;
    if (!all_zero(part(rod_token::device_reserved_at, end - rod_token::device_reserved_at)))
      flaw(rod_token::device_reserved_at, "reserved bytes are not zero");
  }

  // It may end anywhere: what stands behind it is extended data.
  void target() {
    constexpr std::size_t at = rod_token::target_descriptor_at;
    const ByteView rest = token_.subspan(at);
    out_.extended.at = at;
    const std::size_t length = rest[designation_length_at];
    if (length == 0) return flaw(at, "no target device descriptor stands here");
    Designator target;
    target.code_set = static_cast<std::uint8_t>(designation::code_set.read(rest));
    target.association = static_cast<std::uint8_t>(designation::association.read(rest));
    target.type = static_cast<std::uint8_t>(designation::designator_type.read(rest));
    target.bytes = copy_of(rest.subspan(designation::designator_at, length));
    if (target.association != association_target_device || !names_a_device(target.type)) {
      return flaw(at,
                  "what stands here names no target device (association {}, designator type {})",
                  target.association, target.type);
    }
    out_.extended.at = at + designation::designator_at + length;
    // The draft's 128 bytes, zero padded: what is behind those is the extended data.
    constexpr std::size_t fixed_end = rod_token::extended_data_at;
    if (out_.extended.at < fixed_end &&
        all_zero(part(out_.extended.at, fixed_end - out_.extended.at))) {
      out_.extended.at = fixed_end;
    }
    out_.target = std::move(target);
  }

  void extended() {
    RodTokenAnatomy::Extended& extended = out_.extended;
    const ByteView data = token_.subspan(extended.at);
    extended.bytes = data.size();
    extended.not_zero =
        data.size() - static_cast<std::size_t>(std::count(data.begin(), data.end(), 0));
    extended.bits_at_most = bits_at_most(data);
    if (extended.bits_at_most >= due_bits) return;
    flaw(extended.at,
         "the extended data hold at most {:.0f} random bits, {:.0f} are due: the token can be "
         "guessed",
         extended.bits_at_most, due_bits);
  }

  const ByteView token_;
  RodTokenAnatomy out_;
};

// Only what every terminal shows as it is.
std::string printable(ByteView bytes) {
  std::string out;
  for (const std::uint8_t byte : bytes) {
    if (byte == 0) break;  // names are padded with zeros
    out += byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '?';
  }
  return out;
}

}  // namespace

std::string to_text(RodType type) {
  switch (type) {
    case RodType::copy_manager_internal:
      return "copy manager internal";
    case RodType::access_upon_reference:
      return "access upon reference";
    case RodType::point_in_time_default:
      return "point in time copy - default";
    case RodType::point_in_time_change_vulnerable:
      return "point in time copy - change vulnerable";
    case RodType::point_in_time_persistent:
      return "point in time copy - persistent";
    case RodType::point_in_time_any:
      return "point in time copy - any";
    case RodType::block_device_zero:
      return "block device zero";
  }
  const auto number = static_cast<std::uint32_t>(type);
  const std::string_view where = number >= 0xfffffff0   ? "vendor specific"
                                 : number >= 0xff000000 ? "device type specific"
                                                        : "reserved";
  return fmt::format("{} ({:08x}h)", where, number);
}

bool is_token_type(RodType type) {
  return type == RodType::access_upon_reference || type == RodType::point_in_time_default ||
         type == RodType::point_in_time_change_vulnerable ||
         type == RodType::point_in_time_persistent ||
         static_cast<std::uint32_t>(type) >= 0xff000000;
}

std::string to_text(const Designator& designator) {
  if (designator.type == type_scsi_name || designator.code_set != code_set_binary)
    return fmt::format("'{}'", printable(designator.bytes));
  const std::string_view kind = designator.type == type_naa     ? "NAA"
                                : designator.type == type_eui64 ? "EUI-64"
                                                                : "designator";
  return fmt::format("{} {}", kind, base::to_hex(designator.bytes));
}

RodTokenAnatomy dissect(const RodTokenBytes& token) {
  return Dissection(token).done();
}

// The order of wire reference 7.4.
std::optional<Sense> sense_of_bytes(const RodTokenAnatomy& token) {
  const auto at = [](const Field& field) {
    return FieldPointer{static_cast<std::uint16_t>(write_using_token::token_at + field.byte)};
  };
  if (token.length != rod_token::length_value)
    return sense::illegal_parameter(asc::invalid_token_length, at(rod_token::length));
  if (!token.zero_token && !is_token_type(token.rod_type))
    return sense::illegal_parameter(asc::unsupported_token_type, at(rod_token::rod_type));
  return std::nullopt;
}

}  // namespace scsi
