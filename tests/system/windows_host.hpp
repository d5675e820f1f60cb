// A Windows host towards a live array, as windows-host.md tells it: how classpnp looks for ODX when
// a disk starts (A), how it sizes and sends token commands and what it makes of the answers (B),
// how the copy engine uses them (C.2). Bytes are written and read here by that page's offsets; of
// ours is only the session that carries them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tools/host/session.hpp"

namespace windows {

using Bytes = std::vector<std::uint8_t>;
using Token = std::array<std::uint8_t, 512>;

// Blocks, in the order of the file that lies there.
struct Extent {
  std::uint64_t lba = 0;
  std::uint64_t blocks = 0;
};
using Extents = std::vector<Extent>;
std::uint64_t total(const Extents& extents);
// `blocks` of the file from `offset` on.
Extents slice(const Extents& file, std::uint64_t offset, std::uint64_t blocks);

struct RodLimits {  // A.3
  std::uint16_t maximum_range_descriptors = 0;
  std::uint32_t maximum_inactivity_timeout = 0, default_inactivity_timeout = 0;  // seconds
  std::uint64_t maximum_token_transfer_size = 0, optimal_transfer_count = 0;     // blocks
};

// One disk of the host.
class Disk {
 public:
  explicit Disk(std::unique_ptr<host::Session> session) : session_(std::move(session)) {}

  // The device starts: step 4 and 6 of D, then A.1 to A.3. Empty when ODX is on; else the rule that
  // keeps it off.
  std::string start();

  host::Reply send(const Bytes& cdb, base::ByteView data_out = {}, base::ByteSpan data_in = {});
  // Of a VPD page with an allocation length of FFh, as many bytes as came.
  Bytes vital_product_data(std::uint8_t page);

  std::uint32_t block_bytes() const { return block_bytes_; }
  std::uint64_t blocks() const { return blocks_; }
  const RodLimits& limits() const { return limits_; }

 private:
  std::string look_at_supported_pages();
  std::string look_at_third_party_copy();

  std::unique_ptr<host::Session> session_;
  std::uint32_t block_bytes_ = 0;
  std::uint64_t blocks_ = 0;
  RodLimits limits_;
};

// Commands as sent, retries among them.
struct Sent {
  unsigned populate_token = 0, write_using_token = 0;
  unsigned receive_after_read = 0, receive_after_write = 0;
  unsigned retries = 0;
  std::vector<std::uint32_t> list_identifiers;  // of PT and WUT, each as often as sent
};

struct OffloadRead {
  Token token{};
  std::uint64_t blocks = 0;  // 0: no token, and `failure` says why
  std::string failure;
};
struct OffloadWrite {
  std::uint64_t blocks = 0;
  std::string failure;  // empty: all was written
};

// One list identifier counter for all of its disks (B.0).
class Host {
 public:
  OffloadRead offload_read(Disk& source, const Extents& file,
                           std::uint32_t inactivity_timeout_seconds = 0);
  // Fills `file` with the token's blocks from `token_offset` on: one WRITE USING TOKEN after the
  // other.
  OffloadWrite offload_write(Disk& destination, const Token& token, std::uint64_t token_offset,
                             const Extents& file);
  // CopyFile of one file onto another of the same length: tokens of 256 MiB at most. Blocks copied.
  std::uint64_t copy(Disk& source, const Extents& from, Disk& destination, const Extents& into);

  Sent sent;
  std::string last_failure;

 private:
  struct Step {
    std::uint64_t blocks = 0;
    std::string failure;
  };
  Step write_once(Disk& destination, const Token& token, std::uint64_t token_offset,
                  const Extents& ranges);

  std::uint32_t next_list_identifier_ = 0;
};

// What B.5 accepts of an answer to RECEIVE ROD TOKEN INFORMATION, by the rules of release builds
// and the assertions of debug builds alike.
struct Answer {
  std::string broken_rule;  // empty: none
  std::uint8_t status = 0;  // COPY OPERATION STATUS
  std::uint64_t transfer_count = 0;
  Bytes sense;
  bool has_token = false;
  Token token{};
};
Answer read_answer(const Bytes& data, std::uint8_t service_action, std::uint64_t asked);

}  // namespace windows
