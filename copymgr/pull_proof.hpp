// The proofs of the pull channel: both bind the session's two nonces, both members and the token,
// so neither can be played again, in another session, towards another member, or for another token.
#pragma once

#include "copymgr/group.hpp"
#include "scsi/pull_commands.hpp"
#include "scsi/sense.hpp"

namespace copymgr {

struct PullContext {
  scsi::pull::Designator creator{}, opener{};
  scsi::pull::Nonce creators_nonce{}, openers_nonce{};
  scsi::RodTokenBytes token{};
};
scsi::pull::Proof prove(const GroupKey& key, const PullContext& context);

// What a faulted token is told as on the pull channel, and back: the ASCQ of ASC 23h. Nullopt for
// sense that does not tell of a token.
std::optional<tokens::TokenFault> token_fault_of(const scsi::Sense& sense);

}  // namespace copymgr
