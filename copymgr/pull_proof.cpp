#include "copymgr/pull_proof.hpp"

#include "base/digest.hpp"

namespace copymgr {

scsi::pull::Proof prove(const GroupKey& key, const PullContext& context) {
  std::vector<std::uint8_t> bytes;
  bytes.insert(bytes.end(), context.creator.begin(), context.creator.end());
  bytes.insert(bytes.end(), context.opener.begin(), context.opener.end());
  bytes.insert(bytes.end(), context.creators_nonce.begin(), context.creators_nonce.end());
  bytes.insert(bytes.end(), context.openers_nonce.begin(), context.openers_nonce.end());
  bytes.insert(bytes.end(), context.token.begin(), context.token.end());
  return base::hmac_sha256(key, bytes);
}

std::optional<tokens::TokenFault> token_fault_of(const scsi::Sense& sense) {
  using enum tokens::TokenFault;
  const auto is = [&](scsi::AdditionalSense additional) { return sense.additional == additional; };
  if (is(scsi::asc::unsupported_token_type)) return unsupported_type;
  if (is(scsi::asc::token_unknown)) return unknown;
  if (is(scsi::asc::token_corrupt)) return corrupt;
  if (is(scsi::asc::token_revoked)) return revoked;
  if (is(scsi::asc::token_expired)) return expired;
  if (is(scsi::asc::token_cancelled)) return cancelled;
  if (is(scsi::asc::token_deleted)) return deleted;
  if (is(scsi::asc::invalid_token_length)) return invalid_length;
  return std::nullopt;
}

}  // namespace copymgr
