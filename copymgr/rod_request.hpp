// A ROD of one EXTENDED COPY, as whoever plans its segments hands it to the copy manager.
#pragma once

#include <cstdint>
#include <memory>

#include "base/units.hpp"
#include "scsi/rod_token.hpp"
#include "tokens/token_table.hpp"

namespace copymgr {

// What a token that may be used stands for, held for one operation.
struct TokenRod {
  std::shared_ptr<tokens::Lease> lease;  // null: the block device zero token
  std::uint64_t volume_id = 0;           // where the data is from
  base::BlockLength block_length;
  base::BlockCount blocks;
  std::uint32_t alignment_bytes = 1;  // of the store below
};

struct RodRequest {
  std::uint16_t cscd_id = 0;
  // Of a token's ROD; else segments populate it.
  std::shared_ptr<tokens::Lease> lease;
  bool delete_token = false;  // DEL_TKN, obeyed when all went well
  // R_TOKEN: a token is made of what segments put in, when all went well.
  bool wants_token = false;
  scsi::RodType type = scsi::RodType::point_in_time_default;
  std::uint32_t lifetime_seconds = 0;            // 0: no limit
  std::uint32_t inactivity_timeout_seconds = 0;  // 0: no limit
};

}  // namespace copymgr
