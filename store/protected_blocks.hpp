// Commands on blocks that come, or go, with their protection information: each block followed by
// its eight bytes. All go through the guard, one step towards every other command on the same
// blocks, except where it says otherwise; of a guard over a store with protection().
//
// Each may sleep: for the pool, never a worker. protection_failed tells the block whose check
// failed; then nothing was written.
#pragma once

#include <optional>

#include "store/guard.hpp"
#include "store/protected_store.hpp"

namespace store {

// Reads `blocks` of the unit and checks them; `into` has room for them with their protection
// information, or for the data alone.
StoreResult<> read_protected(Guard& guard, base::Extent blocks, const ProtectionChecks& checks,
                             base::ByteSpan into);

// Blocks that a host sent, with what is checked of them.
struct SentBlocks {
  base::ByteView blocks;
  ProtectionChecks checks;  // passes_escapes is false: what is sent has to be right
};
StoreResult<> write_protected(Guard& guard, base::ByteOffset at, const SentBlocks& sent,
                              Durability durability);

// Which parts of protection information are compared with what was sent.
struct ComparedFields {
  bool guard = false, application_tag = false, reference_tag = false;
};
// The first difference: of data, or of a field of a block's protection information.
struct Mismatch {
  base::ByteCount at;  // of what was sent
  std::optional<ProtectionFault> field = {};
};
using ComparedBlocks = StoreResult<std::optional<Mismatch>>;

// Writes to the medium and reads it back from there.
ComparedBlocks write_and_read_back_protected(Guard& guard, base::ByteOffset at,
                                             const SentBlocks& sent);

// Compares `blocks` of the unit with what was sent: as many blocks, or one for all of them (its
// reference tag, unless of type 3, counts on). Not one step.
ComparedBlocks compare_protected(Guard& guard, base::Extent blocks, const SentBlocks& sent,
                                 const ComparedFields& fields);

// Reads and checks, without sending. Not one step.
StoreResult<> verify_protected(Guard& guard, base::Extent blocks, const ProtectionChecks& checks);

ComparedBlocks compare_and_write_protected(Guard& guard, base::ByteOffset at,
                                           const SentBlocks& expected, const ComparedFields& fields,
                                           const SentBlocks& replacement, Durability durability);

// Sets the bits of what was sent in what is there, which is checked by `medium`; the tags are those
// that were sent.
StoreResult<> or_write_protected(Guard& guard, base::ByteOffset at, const SentBlocks& sent,
                                 const ProtectionChecks& medium, Durability durability);

// Not one step, but each block whole: the block that was sent, for all of `blocks`; its reference
// tag, unless of type 3, counts on.
StoreResult<> write_same_protected(Guard& guard, base::Extent blocks, const SentBlocks& one);

}  // namespace store
