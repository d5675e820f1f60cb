#include "store/protection.hpp"

#include "base/crc16_t10dif.hpp"

namespace store {
namespace {

constexpr std::uint16_t escape_application_tag = 0xffff;
constexpr std::uint32_t escape_reference_tag = 0xffffffff;

// SBC-4 4.22.2: nothing of such a block is checked.
bool is_escape(ProtectionType type, const ProtectionTuple& tuple) {
  if (tuple.application_tag != escape_application_tag) return false;
  return type != ProtectionType::type_3 || tuple.reference_tag == escape_reference_tag;
}

std::optional<ProtectionField> wrong_field(const ProtectionTuple& tuple, base::ByteView block,
                                           const ProtectionChecks& checks, std::uint64_t index) {
  if (checks.guard && base::crc16_t10dif(block) != tuple.guard) return ProtectionField::guard;
  const unsigned different = tuple.application_tag ^ checks.application_tag;
  if ((different & checks.application_tag_mask) != 0) return ProtectionField::application_tag;
  if (checks.reference_tag &&
      tuple.reference_tag != static_cast<std::uint32_t>(*checks.reference_tag + index)) {
    return ProtectionField::reference_tag;
  }
  return std::nullopt;
}

}  // namespace

ProtectionTuple load_tuple(base::ByteView bytes, std::size_t at) {
  return {static_cast<std::uint16_t>(base::load_be(bytes, at, 2)),
          static_cast<std::uint16_t>(base::load_be(bytes, at + 2, 2)),
          static_cast<std::uint32_t>(base::load_be(bytes, at + 4, 4))};
}

void store_tuple(base::ByteSpan bytes, std::size_t at, const ProtectionTuple& tuple) {
  base::store_be(bytes, at, 2, tuple.guard);
  base::store_be(bytes, at + 2, 2, tuple.application_tag);
  base::store_be(bytes, at + 4, 4, tuple.reference_tag);
}

ProtectionTuple make_tuple(const ProtectionFormat& format, base::Lba lba, base::ByteView block) {
  ProtectionTuple out;
  out.guard = base::crc16_t10dif(block);
  if (!format.application_owns_tags()) out.application_tag = 0;
  if (format.type == ProtectionType::type_1) {
    out.reference_tag = static_cast<std::uint32_t>(lba.value);
  }
  return out;
}

void make_tuples(const ProtectionFormat& format, base::Lba first, base::ByteView data,
                 base::ByteSpan tuples) {
  const std::size_t block_bytes = format.block_length.bytes;
  for (std::size_t i = 0; i < data.size() / block_bytes; ++i) {
    store_tuple(
        tuples, i * tuple_bytes,
        make_tuple(format, base::Lba(first.value + i), data.subspan(i * block_bytes, block_bytes)));
  }
}

ProtectionChecks checks_of_medium(const ProtectionFormat& format, base::Lba first) {
  ProtectionChecks out;
  out.guard = true;
  if (format.type == ProtectionType::type_1) {
    out.reference_tag = static_cast<std::uint32_t>(first.value);
  }
  return out;
}

std::optional<ProtectionFault> find_fault(const ProtectionFormat& format, base::ByteView data,
                                          base::ByteView tuples, const ProtectionChecks& checks) {
  const std::size_t block_bytes = format.block_length.bytes;
  for (std::size_t i = 0; i < data.size() / block_bytes; ++i) {
    const ProtectionTuple tuple = load_tuple(tuples, i * tuple_bytes);
    if (checks.passes_escapes && is_escape(format.type, tuple)) continue;
    const auto wrong = wrong_field(tuple, data.subspan(i * block_bytes, block_bytes), checks, i);
    if (wrong) return ProtectionFault{i, *wrong};
  }
  return std::nullopt;
}

}  // namespace store
