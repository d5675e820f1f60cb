// The answer of RECEIVE ROD TOKEN INFORMATION and RECEIVE COPY STATUS(LID4) as a value and as bytes
// (wire reference, section 4).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "scsi/command.hpp"
#include "scsi/rod_token.hpp"
#include "scsi/sense.hpp"

namespace scsi {

enum class CopyOperationStatus : std::uint8_t {
  completed = 0x01,
  completed_with_errors = 0x02,
  completed_with_residual = 0x03,
  in_progress = 0x10,
  in_progress_foreground = 0x11,
  in_progress_background = 0x12,
  terminated = 0x60,
};
constexpr bool is_final(CopyOperationStatus status) {
  return status != CopyOperationStatus::in_progress &&
         status != CopyOperationStatus::in_progress_foreground &&
         status != CopyOperationStatus::in_progress_background;
}

inline constexpr std::uint32_t no_delay_estimate = 0xffffffff;  // while running
inline constexpr std::uint32_t delay_when_final = 0xfffffffe;   // section 11, row 9

struct CopyResult {
  std::uint8_t response_to_service_action = 0;  // 00h, 01h EXTENDED COPY, 10h, 11h
  CopyOperationStatus status = CopyOperationStatus::completed;
  std::uint16_t operation_counter = 0;
  std::uint32_t estimated_status_update_delay_ms = delay_when_final;
  Status completion_status = Status::good;
  std::optional<Sense> sense;
  std::uint64_t transfer_count_blocks = 0;  // units F1h
  // Of EXTENDED COPY instead, whose destinations may have different blocks; units 00h.
  std::optional<std::uint64_t> bytes_transferred;
  std::uint16_t segments_processed = 0;
  std::optional<RodTokenBytes> token;  // of POPULATE TOKEN
  // Of EXTENDED COPY instead: one for each ROD CSCD descriptor with R_TOKEN.
  struct RodCscdToken {
    std::uint16_t cscd_id = 0;
    RodTokenBytes token{};

    bool operator==(const RodCscdToken&) const = default;
  };
  std::vector<RodCscdToken> rod_cscd_tokens;

  bool has_tokens() const { return token || !rod_cscd_tokens.empty(); }
};

std::vector<std::uint8_t> encode_rod_token_information(const CopyResult& result);
std::vector<std::uint8_t> encode_receive_copy_status(const CopyResult& result);

// REPORT ALL ROD TOKENS (5.7): of each token its management token only, with which nothing can be
// read.
std::vector<std::uint8_t> encode_all_rod_tokens(const std::vector<RodTokenBytes>& tokens);

// For the host side. Nullopt when too short, when units are not blocks, or when lengths contradict;
// a token is present only if its descriptors are exactly 514 bytes, as Windows wants them
// (windows-host B.2).
std::optional<CopyResult> decode_rod_token_information(base::ByteView bytes);

}  // namespace scsi
