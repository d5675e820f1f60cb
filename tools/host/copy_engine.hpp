// Runs a copy plan: tokens first where the plan says so, the host's own reads and writes for what
// is left, a flush at the end, because a copy is done when it is durable. Speaks to Lun only, so
// that tests give it arrays that stop short, fail and lie.
#pragma once

#include <optional>
#include <string>

#include "tools/host/copy_plan.hpp"
#include "tools/host/token_commands.hpp"

namespace host {

struct CopyOutcome {
  base::ByteCount bytes_offloaded;  // written by WRITE USING TOKEN
  base::ByteCount bytes_through_host;
  std::uint64_t reads = 0, writes = 0;
  std::string fell_back_because;          // empty: it did not
  std::optional<std::string> flush_note;  // the destination knows no SYNCHRONIZE CACHE
  std::optional<std::string> failure;  // one line; nullopt: all is copied and durable, or stopped
  bool stopped = false;                // by the caller's CopyWatch

  bool done() const { return !failure && !stopped; }
};

class CopyEngine {
 public:
  // All references outlive the engine.
  CopyEngine(Lun& source, const LunFacts& source_facts, Lun& destination,
             const LunFacts& destination_facts, TokenTraffic& traffic, const CopyWatch& watch);

  CopyOutcome copy(const CopyPlan& plan, const CopyRequest& request);
  CompareResult verify(const CopyPlan& plan, const CopyRequest& request);

 private:
  struct Offload;
  void offload(const CopyPlan& plan, const CopyRequest& request, CopyOutcome& outcome);
  std::optional<Trouble> take_and_use_token(Offload& state);
  std::optional<Trouble> use_token(Offload& state, const PopulatedToken& token);
  void through_host(const CopyPlan& plan, const CopyRequest& request, CopyOutcome& outcome);
  void flush(CopyOutcome& outcome);
  CopyEnd source_end(const CopyPlan& plan) const;
  CopyEnd destination_end(const CopyPlan& plan) const;

  Lun& source_;
  const LunFacts& source_facts_;
  Lun& destination_;
  const LunFacts& destination_facts_;
  TokenTraffic& traffic_;
  const CopyWatch& watch_;
};

}  // namespace host
