// The ROD tokens that this copy manager has given out: their 512 bytes, what they stand for,
// whether they still live. Pure: clock, randomness and journal are injected, and what a token holds
// is an opaque ROD.
//
// A token is found by its identifier and then compared whole (all 512 bytes, in constant time):
// without that it does not exist. The reason why a dead token died is told only to someone who
// shows all of its bytes (wire reference 7.4). That bytes are not what this array gave out it tells
// by their seal, without looking anything up.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/unique_function.hpp"
#include "scsi/rod_token.hpp"
#include "tokens/rod_types.hpp"
#include "tokens/token_seal.hpp"

namespace tokens {

// What a token stands for. Kept alive by the token while it lives and by every lease on it. The
// copy manager derives its own kind; this room never looks inside.
class Rod {
 public:
  virtual ~Rod() = default;
};

// Why a token cannot be used; each is translated to sense in one place (target/device/copy_sense).
enum class TokenFault {
  unsupported_type,     // 23/01
  remote,               // 23/02 of another SCSI target device
  creator_unreachable,  // 0D/02 the same, where remote tokens are taken but not that one
  unknown,              // 23/04
  corrupt,              // 23/05
  revoked,              // 23/06 by the administrator or by eviction
  expired,              // 23/07
  cancelled,            // 23/08 the copy manager cannot keep the point in time
  deleted,              // 23/09 DEL_TKN
  invalid_length,       // 23/0A
};

struct TokenLimits {
  std::uint32_t live_tokens_max = 4096;     // beyond it the least recently used idle one is revoked
  std::uint32_t death_records_max = 16384;  // remembered reasons, oldest forgotten first
  std::uint32_t default_inactivity_timeout_seconds = 60;
  // Tokens of others are refused (23/01), those too that were made when they still were offered.
};

struct TokenCounters {
  std::uint64_t live = 0, created = 0, used = 0;
  std::uint64_t restored = 0;  // that lived when an earlier process ended
  std::uint64_t expired = 0, cancelled = 0, revoked = 0, deleted = 0, evicted = 0, refused = 0;
};

struct NewToken {
  scsi::RodTokenFields fields;  // identifier and extended_data are filled in by the table
  std::shared_ptr<Rod> rod;
  std::uint32_t inactivity_timeout_seconds = 0;  // 0: the default
  std::uint32_t lifetime_seconds = 0;            // whatever its use; 0: no limit
  // Tokens of one group have a bound of their own, within that of all.
  std::uint64_t group = 0;
  std::uint32_t group_tokens_max = 0;         // 0: none but that of all
  std::vector<std::uint8_t> rod_record = {};  // for the journal
  bool may_leave = false;  // to other members of the group: they shall know its seal
};

// Bytes 128-255 of a token: the SCSI target device that made it.
using TargetDeviceBytes = std::array<std::uint8_t, scsi::rod_token::target_descriptor_bytes_max>;

// Whose copy manager a token is shown to.
struct TokenReader {
  std::optional<TargetDeviceBytes> target_device;  // nullopt: of every target device here
  bool remote_tokens = false;  // it takes those of the other target devices of this array too
  scsi::RodTypeSet rod_types = rod_types_offered_by_default;  // that it takes
  bool in_group = false;  // tokens of others than its members are unknown to it
};

// Of the copy manager group that this array is in.
struct GroupMark {
  TokenKey key;
  CopyManagerDesignator own;
};

struct KeptToken;
class TokenJournal;
// What the table knows of one token, alive or remembered as dead, at one moment.
struct TokenView {
  scsi::RodTokenBytes bytes{};         // a capability: not for anybody's eyes
  std::shared_ptr<const Rod> rod;      // empty once dead; let go of it soon
  std::optional<TokenFault> death;     // nullopt: lives
  base::Duration timeout{0};           // of inactivity
  std::optional<base::Duration> left;  // of it; nullopt while in use, and once dead
  std::uint32_t leases = 0;            // uses that run
  std::uint64_t uses = 0;              // since this process began, those that run too
  std::optional<base::Instant> created_at, ended_at;  // nullopt: before this process
};

// Where a walk over all tokens stands.
struct TokenWalk {
  std::size_t next = 0, places = 0;
  bool ended = false;
};

class TokenTable;

// The right to read a token's ROD for the length of one command. While it lives the token neither
// expires nor is evicted; when it ends the inactivity timer starts anew. Move-only.
class Lease {
 public:
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&&) = delete;
  ~Lease();

  const std::shared_ptr<Rod>& rod() const { return rod_; }
  std::uint64_t identifier() const { return identifier_; }
  // DEL_TKN: the token dies (deleted) when this lease ends.
  void delete_token_at_end() { delete_at_end_ = true; }

 private:
  friend class TokenTable;
  Lease(TokenTable& table, std::uint64_t identifier, std::shared_ptr<Rod> rod);

  TokenTable* table_;
  std::uint64_t identifier_;
  std::shared_ptr<Rod> rod_;
  bool delete_at_end_ = false;
};

// All members are callable from any thread; the table must outlive its leases.
class TokenTable {
 public:
  // Without a key, one at random: after a restart no token is recognised. Without a journal (null)
  // tokens end with the process.
  TokenTable(const base::Clock& clock, base::Randomness& randomness, TokenLimits limits,
             const std::optional<TokenKey>& key = std::nullopt, TokenJournal* journal = nullptr);
  ~TokenTable();

  // At the start, in the order of the journal. One that lived lives on if its time is not over
  // (else it expires) and there is a `rod` (else it is cancelled). `group`: see NewToken.
  void restore(const KeptToken& token, std::shared_ptr<Rod> rod, std::uint64_t group = 0);
  // As TokenJournal::when_kept(); at once without a journal.
  void when_kept(base::UniqueFunction<void(bool kept)> done);
  // The process is about to end: from now on nothing is written down, so that what lives now lives
  // on in the next one.
  void leave_to_next_process();

  scsi::RodTokenBytes create(NewToken token);
  // From now on; nullopt: in none. Tokens made before keep the seal that they have.
  void set_group(const std::optional<GroupMark>& mark);

  // The block device zero token is not in the table; the caller looks for it first.
  base::Result<Lease, TokenFault> lease(const scsi::RodTokenBytes& token,
                                        const TokenReader& reader = {});

  // The bytes of a token, alive or remembered as dead: to compare them with what somebody claims.
  std::optional<scsi::RodTokenBytes> bytes_of(std::uint64_t identifier) const;

  // The bytes of the living tokens whose RODs are wanted, the oldest identifiers first. Looks at
  // all of them: not for every day. `wanted` runs under the table's lock.
  std::vector<scsi::RodTokenBytes> living(const std::function<bool(const Rod&)>& wanted) const;

  // By identifier, which says nothing to a host. False when no such live token. From then on nobody
  // begins to use it; a use that runs has its ROD to its end. One that is not cancelled stays so
  // after a restart: that is kept when these return (they may sleep).
  bool cancel(std::uint64_t identifier);
  bool revoke(std::uint64_t identifier);
  bool expire_at_once(std::uint64_t identifier);
  bool remove(std::uint64_t identifier);  // as by DEL_TKN

  // The next few of all tokens, in no order, until `walk.ended`: the lock is held for a few at a
  // time. One that is there all the while is among them; if the table has to grow beyond its limits
  // meanwhile (many uses run at once) the walk begins anew, and shows some twice.
  std::vector<TokenView> look(TokenWalk& walk) const;
  // Whether this array gave these bytes out, be the token alive or not.
  TokenSeal::Verdict seal_of(const scsi::RodTokenBytes& token) const;
  // Why these bytes cannot be used now by any unit of the array; nullopt: they can. Neither a use
  // nor counted.
  std::optional<TokenFault> fault_of(const scsi::RodTokenBytes& token);

  // Buries what has expired and forgets old death records. Call it now and then; every other member
  // does not depend on it.
  void expire();

  TokenCounters counters() const;

 private:
  friend class Lease;
  void end_lease(std::uint64_t identifier, bool delete_token);
  bool end_life(std::uint64_t identifier, TokenFault reason);
  bool end_for_good(std::uint64_t identifier, TokenFault reason);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tokens
