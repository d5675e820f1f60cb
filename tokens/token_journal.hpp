// Where tokens are written down so that they outlive the process: what the table tells it, and what
// it tells a new table at its start. The table only knows this interface; the array gives it a
// database, tests give it memory.
//
// What a journal has kept survives kill -9 at any moment. What it was told and has not kept yet may
// be gone: so whoever acknowledges something to a host waits for it first (when_kept). A token
// whose end was not kept comes back only if its ROD can be restored, and a ROD that was let go of
// cannot (store/side_journal.hpp): then the new table has it as cancelled. So no order between this
// journal and what RODs hold is needed.
#pragma once

#include <optional>
#include <vector>

#include "base/unique_function.hpp"
#include "tokens/token_table.hpp"

namespace tokens {

struct KeptToken {
  scsi::RodTokenBytes bytes{};
  std::vector<std::uint8_t> rod;  // what its owner needs to restore the ROD; opaque here
  base::Duration timeout{0};      // of inactivity
  base::Duration lifetime{0};     // whatever its use; 0: no limit
  std::optional<TokenFault> death = {};
  // Since it was made, last used, or died: the time in which nothing ran counts (wire reference
  // 7.1).
  base::Duration age{0};
  base::Duration life{0};  // since it was made

  // Of one that did not die of something else before.
  bool expired() const { return age >= timeout || (lifetime.count() != 0 && life >= lifetime); }
};

class TokenJournal {
 public:
  virtual ~TokenJournal() = default;

  // Once, before anything else: what earlier processes left, the longest unused and longest dead
  // first. What cannot be read is not there; one line in the log says so.
  virtual std::vector<KeptToken> load() = 0;
  // The first identifier of this process: above all that were ever given out, `proposed` if none
  // were (wire reference 5.3). Durable when it returns.
  virtual std::uint64_t first_identifier(std::uint64_t proposed) = 0;

  // Called in the order in which things happen, under the table's lock: they take a note and return
  // at once.
  virtual void created(const KeptToken& token) = 0;
  virtual void used(std::uint64_t identifier) = 0;
  virtual void ended(std::uint64_t identifier, TokenFault reason) = 0;
  virtual void forgotten(std::uint64_t identifier) = 0;

  // `done` runs once, inside the call or on the journal's thread, when everything noted before the
  // call is kept; with false when some of it could not be. Short, and it never waits for this
  // journal.
  using Kept = base::UniqueFunction<void(bool kept)>;
  virtual void when_kept(Kept done) = 0;
};

}  // namespace tokens
