#include "scsi/pull_commands.hpp"

#include <algorithm>

namespace scsi::pull {
namespace {

constexpr std::uint16_t mark_value = 0x434d;  // "CM"
constexpr Field mark = Field::bytes("mark", 0, 2);
constexpr Field version = Field::bytes("VERSION", 2, 2);
constexpr Field block_length = Field::bytes("LOGICAL BLOCK LENGTH IN BYTES", 4, 4);
constexpr Field bytes_represented = Field::bytes("NUMBER OF BYTES REPRESENTED", 8, 8);
constexpr Field identifier = Field::bytes("COPY MANAGER ROD TOKEN IDENTIFIER", 88, 8);
constexpr std::size_t designator_at = 8, nonce_at = 24, open_proof_at = 56, opened_proof_at = 24;

template <class Bytes>
void put(std::vector<std::uint8_t>& out, std::size_t at, const Bytes& bytes) {
  std::copy(bytes.begin(), bytes.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
}
template <class Bytes>
void get(base::ByteView from, std::size_t at, Bytes& bytes) {
  std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(at), bytes.size(), bytes.begin());
}

std::vector<std::uint8_t> begin(std::size_t bytes, std::uint16_t said) {
  std::vector<std::uint8_t> out(bytes);
  mark.write(out, mark_value);
  version.write(out, said);
  return out;
}

std::optional<std::uint16_t> version_of(base::ByteView bytes, std::size_t least) {
  if (bytes.size() < least || mark.read(bytes) != mark_value) return std::nullopt;
  return static_cast<std::uint16_t>(version.read(bytes));
}

}  // namespace

std::vector<std::uint8_t> encode(const Challenge& challenge) {
  auto out = begin(challenge_bytes, challenge.version);
  put(out, designator_at, challenge.creator);
  put(out, nonce_at, challenge.nonce);
  return out;
}

std::vector<std::uint8_t> encode(const Open& open) {
  auto out = begin(open_bytes, open.version);
  put(out, designator_at, open.opener);
  put(out, nonce_at, open.nonce);
  put(out, open_proof_at, open.proof);
  identifier.write(out, open.identifier);
  return out;
}

std::vector<std::uint8_t> encode(const Opened& opened) {
  auto out = begin(opened_bytes, opened.version);
  block_length.write(out, opened.block_length.bytes);
  bytes_represented.write(out, opened.bytes.value);
  put(out, opened_proof_at, opened.proof);
  return out;
}

std::optional<Challenge> decode_challenge(base::ByteView bytes) {
  const auto said = version_of(bytes, challenge_bytes);
  if (!said) return std::nullopt;
  Challenge out{*said};
  get(bytes, designator_at, out.creator);
  get(bytes, nonce_at, out.nonce);
  return out;
}

std::optional<Open> decode_open(base::ByteView bytes) {
  const auto said = version_of(bytes, open_bytes);
  if (!said) return std::nullopt;
  Open out{*said};
  get(bytes, designator_at, out.opener);
  get(bytes, nonce_at, out.nonce);
  get(bytes, open_proof_at, out.proof);
  out.identifier = identifier.read(bytes);
  return out;
}

std::optional<Opened> decode_opened(base::ByteView bytes) {
  const auto said = version_of(bytes, opened_bytes);
  if (!said) return std::nullopt;
  Opened out{*said};
  out.block_length.bytes = static_cast<std::uint32_t>(block_length.read(bytes));
  out.bytes = base::ByteCount(bytes_represented.read(bytes));
  get(bytes, opened_proof_at, out.proof);
  return out;
}

}  // namespace scsi::pull
