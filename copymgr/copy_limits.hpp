// What one logical unit allows in copies that are sent to it, and of tokens made of its data. VPD
// page 8Fh, RECEIVE COPY OPERATING PARAMETERS and REPORT SUPPORTED OPERATION CODES print this very
// value, and the checks ask it. The names are those of 8Fh (wire reference, section 6).
#pragma once

#include <cstdint>

#include "base/units.hpp"
#include "scsi/copy_cdbs.hpp"
#include "scsi/extended_copy_parameters.hpp"
#include "tokens/rod_types.hpp"

namespace copymgr {

// The commands of operation codes 83h and 84h that the unit knows.
class ServiceActions {
 public:
  // True for every command of another operation code.
  constexpr bool offers(const scsi::CdbLayout& command) const {
    const std::uint32_t* const withdrawn = of(command.opcode);
    return withdrawn == nullptr || (*withdrawn & bit(command)) == 0;
  }
  constexpr void withdraw(const scsi::CdbLayout& command) {
    if (command.opcode == scsi::third_party_copy_out) out_ |= bit(command);
    if (command.opcode == scsi::third_party_copy_in) in_ |= bit(command);
  }
  constexpr bool operator==(const ServiceActions&) const = default;

 private:
  static constexpr std::uint32_t bit(const scsi::CdbLayout& command) {
    return std::uint32_t{1} << (command.service_action.value_or(0) & 31u);
  }
  constexpr const std::uint32_t* of(std::uint8_t opcode) const {
    if (opcode == scsi::third_party_copy_out) return &out_;
    return opcode == scsi::third_party_copy_in ? &in_ : nullptr;
  }

  std::uint32_t out_ = 0, in_ = 0;  // the actions that are withdrawn
};

// Who may use the tokens of the unit's data, of those who hold all of their bytes.
enum class TokenUse : std::uint8_t {
  bearer,          // everybody (SPC-4: a token is a capability)
  same_initiator,  // hosts with the name of the one that made it
  visible_source,  // nexuses that see the unit the data is from
};

// Tokens of other SCSI target devices: those that the unit takes, and whether its own may be used
// elsewhere.
enum class RemoteTokens : std::uint8_t {
  refuse,
  array,  // taken from the other targets of this array
  group,  // in a copy manager group: from and by all targets of its members; in none: refuse
};

// What becomes of a token whose data is in blocks of another length than the unit's own.
enum class MixedBlockLengths : std::uint8_t {
  refuse,   // 05h/08h/04h (windows-host R21)
  convert,  // offset and lengths count blocks of this unit, the end is padded with zeros (3.2, 3.4)
};

// What becomes of IMMED in POPULATE TOKEN and WRITE USING TOKEN.
enum class ImmedPolicy : std::uint8_t {
  accept,      // the operation runs in background
  refuse,      // 05/26/00 at the bit
  foreground,  // as if it were not set: status when all is done
};

struct CopyLimits {
  // Descriptor 0000h.
  std::uint16_t maximum_range_descriptors = 64;
  std::uint32_t maximum_inactivity_timeout_seconds = 3600;  // 0: no limit
  std::uint32_t default_inactivity_timeout_seconds = 60;
  base::ByteCount maximum_token_transfer{256u << 20};  // of one token; 0: no limit
  // 0: not reported, so that Windows takes 256 MiB tokens and 64 MiB writes (windows-host A.4).
  base::ByteCount optimal_transfer{0};
  // The tokens that live at once. Beyond it the least recently used is revoked.
  std::uint32_t maximum_tokens = 4096;
  // Descriptors 0004h and 8001h.
  scsi::ExtendedCopyLimits extended_copy;
  std::uint32_t total_concurrent_copies = 255;
  std::uint32_t maximum_identified_concurrent_copies = 255;  // those with a list identifier
  // Descriptor 0106h.
  std::uint32_t minimum_token_lifetime_seconds = 1;
  std::uint32_t maximum_token_lifetime_seconds = 0;  // whatever its use; 0: no limit
  RemoteTokens remote_tokens = RemoteTokens::group;
  // Descriptor 0108h.
  scsi::RodTypeSet rod_types = tokens::rod_types_offered_by_default;
  // Of a token that is asked for without a type (RTV=0), if it is offered.
  scsi::RodType rod_type_by_default = scsi::RodType::point_in_time_default;
  // POPULATE TOKEN of blocks that are all unmapped gives the block device zero token.
  bool zero_token_for_unmapped = false;
  // Not told anywhere: results of one session that are kept for who asks.
  std::uint32_t list_identifiers = 256;

  // Descriptor 0001h.
  ServiceActions service_actions;
  ImmedPolicy immed = ImmedPolicy::accept;
  TokenUse token_use = TokenUse::bearer;
  MixedBlockLengths mixed_block_lengths = MixedBlockLengths::refuse;

  bool takes_remote_tokens(bool in_group) const {
    return remote_tokens == RemoteTokens::array ||
           (remote_tokens == RemoteTokens::group && in_group);
  }
  // Who else may use them cannot be asked of a nexus of another array.
  bool tokens_may_leave() const {
    return remote_tokens == RemoteTokens::group && token_use == TokenUse::bearer;
  }
  bool takes_zero_token() const { return rod_types.contains(scsi::RodType::block_device_zero); }
  bool offers_tokens() const {
    return service_actions.offers(scsi::populate_token::layout) ||
           service_actions.offers(scsi::write_using_token::layout);
  }
  bool offers_extended_copy() const {
    return service_actions.offers(scsi::extended_copy::lid1_layout) ||
           service_actions.offers(scsi::extended_copy::lid4_layout);
  }
  bool offers_copies() const { return offers_tokens() || offers_extended_copy(); }

  bool operator==(const CopyLimits&) const = default;
};

}  // namespace copymgr
