// Any 512 bytes read as a ROD token, this array's or another's: what each field says, and what is
// not as the standard wants it (wire reference, section 5). Pure; nothing here knows whether a
// token is alive, and nothing keeps the extended data, which is the secret.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scsi/rod_token.hpp"
#include "scsi/sense.hpp"

namespace scsi {

// "point in time copy - default"; a number without a name says where it belongs.
std::string to_text(RodType type);
// A type whose tokens a copy manager can give out and take back (5.4).
bool is_token_type(RodType type);

struct Designator {
  std::uint8_t code_set = 0;
  std::uint8_t association = 0;
  std::uint8_t type = 0;
  std::vector<std::uint8_t> bytes;  // as many as its length says, if they fit

  bool operator==(const Designator&) const = default;
};
// "NAA 6001...", "EUI-64 0011...", or a name in quotes, with what cannot be shown replaced.
std::string to_text(const Designator& designator);

// Something that is not as it should be, at a byte of the token.
struct TokenFlaw {
  std::uint16_t byte = 0;
  std::string text;
};

struct RodTokenAnatomy {
  RodType rod_type = RodType::copy_manager_internal;
  std::uint16_t length = 0;
  std::uint64_t identifier = 0;

  struct Creator {
    std::uint8_t type_code = 0;  // E4h
    std::uint8_t device_type = 0;
    Designator designator;
    base::BlockLength block_length{0};
  } creator;

  // NUMBER OF BYTES REPRESENTED is 128 bits wide, and not all that make tokens know it.
  enum class BytesSaid {
    plainly,        // a number
    unknown,        // all FFh
    not_at_all,     // 0
    in_upper_half,  // QNAP: the number stands in the upper 64 bits
    beyond_reason,  // both halves are used
  };
  BytesSaid bytes_said = BytesSaid::plainly;
  base::ByteCount bytes_represented;  // plainly, and in_upper_half

  struct Device {
    base::BlockLength block_length{0};
    bool protection_enabled = false;
    std::uint8_t protection_type = 0;  // P_TYPE + 1
    std::uint8_t protection_interval_exponent = 0;
    std::uint8_t physical_exponent = 0;
    bool thin = false, reads_zeros = false;  // LBPME, LBPRZ
    std::uint16_t lowest_aligned_lba = 0;
  } device;

  std::optional<Designator> target;  // none: no descriptor stands there

  // What can be said of the extended data without showing them.
  struct Extended {
    std::size_t at = 0;     // the first byte behind the target descriptor
    std::size_t bytes = 0;  // to the end of the token
    std::size_t not_zero = 0;
    double bits_at_most = 0;  // of randomness, by how often each value is there; 256 are due
  } extended;

  bool zero_token = false;       // the constant that writes zeros: nothing else of it counts
  bool maybe_freebsd = false;    // access upon reference with a 32-bit counter, as CTL makes them
  std::vector<TokenFlaw> flaws;  // by byte
};
RodTokenAnatomy dissect(const RodTokenBytes& token);

// What a copy manager answers a WRITE USING TOKEN with these bytes, whoever made them; nullopt:
// that depends on whether it made the token, and whether the token lives.
std::optional<Sense> sense_of_bytes(const RodTokenAnatomy& token);

}  // namespace scsi
