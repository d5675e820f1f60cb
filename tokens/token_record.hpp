// What the table knows of one token, alive or dead, and how long each stays so. A value: the table
// moves it between its queues.
#pragma once

#include <algorithm>
#include <list>
#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "scsi/rod_token.hpp"
#include "tokens/token_table.hpp"

namespace tokens {

struct TokenRecord {
  scsi::RodTokenBytes bytes{};
  std::shared_ptr<Rod> rod;                  // empty once dead
  base::Duration timeout{0};                 // of inactivity
  std::optional<base::Instant> end_of_life;  // whatever the use
  std::uint64_t group = 0;
  std::optional<TokenFault> death;  // nullopt: lives
  std::uint32_t leases = 0;         // while any runs, the token is in no queue
  std::uint64_t uses = 0;
  std::optional<base::Instant> created_at, ended_at;  // within this process
  // Idle and alive: when it expires. Dead: when it may be forgotten.
  base::Instant deadline;
  // Idle and alive: its place among the idle, and among those of its group.
  std::list<std::uint64_t>::iterator by_use, by_use_in_group;

  bool is_idle() const { return !death && leases == 0; }
};

// Never passes the end of time: a host may ask for 2^32-1 seconds.
inline base::Instant later(base::Instant from, base::Duration by) {
  const base::Duration left = base::Duration::max() - from.since_start;
  return from + std::min(by, left);
}

// A death is told for at least twice the inactivity timeout (wire reference 7.2).
inline base::Instant may_be_forgotten_at(const TokenRecord& record, base::Instant death) {
  return later(later(death, record.timeout), record.timeout);
}

}  // namespace tokens
