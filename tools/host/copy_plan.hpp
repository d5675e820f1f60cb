// Decides before the first block moves: which blocks go where, whether that can be done at all, and
// by which way. Pure: facts and request in, plan or one line of refusal out.
#pragma once

#include <string>

#include "base/extent.hpp"
#include "base/result.hpp"
#include "tools/host/host_copy.hpp"
#include "tools/host/lun_facts.hpp"

namespace host {

enum class Mode { automatic, offload, host };
std::string_view to_text(Mode mode);
std::optional<Mode> mode_from(std::string_view text);  // "auto", "offload", "host"

struct CopyRequest {
  Mode mode = Mode::automatic;
  base::Lba source_first, destination_first;
  std::optional<base::BlockCount> blocks;  // source blocks; nullopt: to the end of the source
  std::uint32_t inactivity_timeout_seconds = 0;
  PipelineSettings pipeline;
  bool verify = false;
};

struct CopyPlan {
  base::BlockRange source, destination;
  base::ByteCount bytes;
  bool offload = false;        // start with tokens
  bool may_fall_back = false;  // continue through the host when tokens fail
  std::string why;             // why this way
};
base::Result<CopyPlan, std::string> plan_copy(const LunFacts& source, const LunFacts& destination,
                                              const CopyRequest& request);

}  // namespace host
