// Protection information (SBC-4 4.22): eight bytes that stand beside each logical block and tell
// whether it is still what was written. What they are, how they are made and what is checked; pure.
// Where they are kept is protected_store.hpp's business.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/units.hpp"
#include "store/store.hpp"

namespace store {

// Type 1: the reference tag is the LBA. Type 2: the application tells with each command what it is.
// Type 3: it is the application's, never checked.
enum class ProtectionType : std::uint8_t { none = 0, type_1 = 1, type_2 = 2, type_3 = 3 };

inline constexpr std::size_t tuple_bytes = 8;

struct ProtectionTuple {
  // As of blocks that were formatted, unmapped, or never written: nothing is checked.
  std::uint16_t guard = 0xffff;
  std::uint16_t application_tag = 0xffff;
  std::uint32_t reference_tag = 0xffffffff;

  bool operator==(const ProtectionTuple&) const = default;
};
// At `at` of bytes as on the wire.
ProtectionTuple load_tuple(base::ByteView bytes, std::size_t at);
void store_tuple(base::ByteSpan bytes, std::size_t at, const ProtectionTuple& tuple);

struct ProtectionFormat {
  ProtectionType type = ProtectionType::none;
  base::BlockLength block_length{512};

  bool operator==(const ProtectionFormat&) const = default;

  // Whether application tags belong to the applications (ATO, SPC-4 7.5.8): those of type 2, which
  // tell what they expect. Elsewhere they are the device server's.
  bool application_owns_tags() const { return type == ProtectionType::type_2; }
};

// Data that came without protection information gets this (SBC-4 5.40, WRPROTECT 000b).
ProtectionTuple make_tuple(const ProtectionFormat& format, base::Lba lba, base::ByteView block);
// Of consecutive blocks; `tuples` has room for one each.
void make_tuples(const ProtectionFormat& format, base::Lba first, base::ByteView data,
                 base::ByteSpan tuples);

struct ProtectionChecks {
  bool guard = false;
  // Of the first block; of each after it one more.
  std::optional<std::uint32_t> reference_tag;
  std::uint16_t application_tag = 0;
  std::uint16_t application_tag_mask = 0;  // which bits must be as they are in application_tag
  // What comes from the medium may say that it is not to be checked.
  bool passes_escapes = true;
};
// What a command checks that tells nothing itself.
ProtectionChecks checks_of_medium(const ProtectionFormat& format, base::Lba first);

// The first block of which a check fails, counted from the first.
struct ProtectionFault {
  std::uint64_t block = 0;
  ProtectionField field = ProtectionField::guard;

  bool operator==(const ProtectionFault&) const = default;
};
std::optional<ProtectionFault> find_fault(const ProtectionFormat& format, base::ByteView data,
                                          base::ByteView tuples, const ProtectionChecks& checks);

}  // namespace store
