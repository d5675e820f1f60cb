#include "target/device/commands/denials.hpp"

#include "scsi/command.hpp"

namespace device::commands {
namespace {

using copymgr::CopyFault;
using copymgr::SegmentFault;

const char* text_of(tokens::TokenFault fault) {
  using enum tokens::TokenFault;
  switch (fault) {
    case unsupported_type:
      return "the token's type is not taken";
    case remote:
      return "the token is of another target";
    case creator_unreachable:
      return "the token is of another array";
    case unknown:
      return "the token is unknown";
    case corrupt:
      return "the token is corrupt";
    case revoked:
      return "the token was revoked";
    case expired:
      return "the token has expired";
    case cancelled:
      return "the token was cancelled";
    case deleted:
      return "the token was deleted";
    case invalid_length:
      return "the token's length is wrong";
  }
  return "the token cannot be used";
}

// Nullptr: no denial, something else has failed.
const char* text_of(const SegmentFault& fault) {
  const bool source = fault.side == copymgr::SegmentSide::source;
  if (fault.kind == SegmentFault::Kind::unreachable) {
    return source ? "the host sees no such copy source" : "the host sees no such copy destination";
  }
  if (fault.kind == SegmentFault::Kind::reservation_conflict) {
    return source ? "the copy source is reserved" : "the copy destination is reserved";
  }
  return nullptr;
}

const char* text_of(const CopyFault& fault) {
  switch (fault.kind) {
    case CopyFault::Kind::token:
      return text_of(fault.token_fault);
    case CopyFault::Kind::not_authorized:
      return "the token's source does not let this host use it";
    case CopyFault::Kind::source_reserved:
      return "the token's source is reserved";
    case CopyFault::Kind::segment_failed:
      return text_of(*fault.segment);
    default:
      return nullptr;
  }
}

}  // namespace

TellOfDenial denial_of(const Invocation& call, std::optional<std::uint32_t> list_identifier,
                       const scsi::RodTokenBytes* token) {
  Denial who;
  who.initiator = call.nexus.identity().initiator_name;
  who.target = call.nexus.target().name();
  who.lun = scsi::decode_lun(call.task.lun_field).value_or(scsi::Lun{}).value;
  who.list_identifier = list_identifier;
  const auto shown = token == nullptr ? std::nullopt : std::optional(*token);
  return [who, shown, log = call.nexus.target().denials()](const CopyFault& fault) {
    const char* const why = text_of(fault);
    if (why == nullptr) return;
    Denial denial = who;
    denial.why = why;
    if (shown) denial.token_hash = scsi::hash_of(*shown);
    log->add(denial);
  };
}

copymgr::CopyManager::Done told_of_denials(TellOfDenial tell, copymgr::CopyManager::Done done) {
  return [tell = std::move(tell), done = std::move(done)](copymgr::CopyOutcome outcome) mutable {
    if (!outcome) tell(outcome.error());
    done(outcome);
  };
}

}  // namespace device::commands
