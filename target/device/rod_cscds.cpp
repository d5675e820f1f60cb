#include "target/device/rod_cscds.hpp"

#include "scsi/copy_cdbs.hpp"
#include "target/device/copy_sense.hpp"
#include "target/device/cscd.hpp"
#include "target/device/token_gate.hpp"

namespace device {
namespace {

using copymgr::SegmentFault;
using copymgr::SegmentSide;
using Kind = SegmentFault::Kind;
namespace fields = scsi::rod_cscd;

constexpr std::uint8_t disk = 0x00;

scsi::FieldPointer pointer_into(const scsi::RodCscd& rod, const scsi::Field& field) {
  scsi::FieldPointer out = field.pointer();
  out.byte = static_cast<std::uint16_t>(out.byte + rod.at);
  return out;
}

SegmentFault fault_in(const scsi::RodCscd& rod, Kind kind, const scsi::Field& field) {
  SegmentFault out;
  out.kind = kind;
  out.field = pointer_into(rod, field);
  out.in_list = true;
  return out;
}

RodRefusal bad_field(const scsi::RodCscd& rod, const scsi::Field& field) {
  return {scsi::sense::invalid_field_in_parameter_list(field, rod.at), {}};
}

// PAD and DISK BLOCK LENGTH are those of any CSCD descriptor.
copymgr::Cscd checked(const scsi::RodCscd& rod, copymgr::Cscd view) {
  if (!view) return view;
  if (rod.device_type != disk) {
    return base::fail(fault_in(rod, Kind::wrong_device_type, scsi::cscd::device_type));
  }
  const std::uint32_t told = rod.block_length_bytes;
  if (told != 0 && !view->zeros && told != view->block_length.bytes) {
    return base::fail(fault_in(rod, Kind::wrong_block_length, scsi::cscd::block_length));
  }
  view->pad = rod.pad;
  return view;
}

// As POPULATE TOKEN chooses it; nullopt: none can be had.
std::optional<scsi::RodType> type_of(const scsi::RodCscd& rod, const copymgr::CopyLimits& limits) {
  if (!tokens::populated(limits.rod_types).contains(rod.type)) return std::nullopt;
  return tokens::type_of_new_token(rod.type, limits.rod_types, limits.rod_type_by_default);
}

// `limits`: of the unit that the list was sent to.
std::optional<RodRefusal> check(const scsi::RodCscd& rod, const copymgr::CopyLimits& limits,
                                scsi::ListIdUsage usage) {
  if (!type_of(rod, limits)) return bad_field(rod, fields::rod_type);
  if (!rod.r_token) return std::nullopt;
  const bool can_be_fetched =
      usage != scsi::ListIdUsage::none &&
      limits.service_actions.offers(scsi::receive_copy::rod_token_information_layout);
  return can_be_fetched ? std::nullopt : std::optional(bad_field(rod, fields::r_token));
}

// A token that outlives the list: what the unit whose data it stands for allows counts, as with
// POPULATE TOKEN there.
std::optional<RodRefusal> check_token(const scsi::RodCscd& rod, const copymgr::CopyLimits& limits) {
  if (!limits.service_actions.offers(scsi::populate_token::layout)) {
    return bad_field(rod, fields::r_token);
  }
  if (!type_of(rod, limits)) return bad_field(rod, fields::rod_type);
  const std::uint32_t longest = limits.maximum_inactivity_timeout_seconds;
  if (longest != 0 && rod.inactivity_timeout_seconds > longest) {
    return bad_field(rod, fields::inactivity_timeout);
  }
  return std::nullopt;
}

// Of the producer, if it can be reached at all: else its segments tell.
const copymgr::CopyLimits& limits_of(const Invocation& call, const copymgr::Cscd& producer,
                                     const copymgr::CopyLimits& own) {
  const UnitPath* path = producer ? call.nexus.path_to(producer->volume_id) : nullptr;
  return path != nullptr ? path->unit->copy_limits() : own;
}

std::optional<RodRefusal> add_populated(const Invocation& call, const scsi::ExtendedCopy& list,
                                        const scsi::RodCscd& rod, const copymgr::CopyLimits& own,
                                        ListRods& out) {
  copymgr::Cscd producer = find_cscd(call, list, rod.producer_id, SegmentSide::source);
  if (!producer && !producer.error().in_list) {
    producer.error().field = pointer_into(rod, fields::producer_id);
    producer.error().in_list = true;
  }
  const copymgr::CopyLimits& limits = rod.r_token ? limits_of(call, producer, own) : own;
  if (auto bad = rod.r_token ? check_token(rod, limits) : std::nullopt) return bad;
  out.plans.push_back(
      {rod.cscd_id, checked(rod, std::move(producer)), false, limits.maximum_token_transfer});
  copymgr::RodRequest request;
  request.cscd_id = rod.cscd_id;
  request.wants_token = rod.r_token;
  request.type = type_of(rod, limits).value_or(request.type);
  request.lifetime_seconds = rod.lifetime_seconds;
  request.inactivity_timeout_seconds = rod.inactivity_timeout_seconds;
  out.requests.push_back(std::move(request));
  return std::nullopt;
}

copymgr::CscdView view_of(const copymgr::TokenRod& token, const LogicalUnit& receiving) {
  copymgr::CscdView out;
  out.zeros = token.lease == nullptr;
  out.volume_id = out.zeros ? receiving.id() : token.volume_id;
  out.block_length = token.block_length;
  out.capacity = token.blocks;
  out.alignment_bytes = token.alignment_bytes;
  return out;
}

// A source that is reserved against the host is told as that of any CSCD: by the segment that
// reads it.
std::optional<RodRefusal> add_token(const Invocation& call, const scsi::RodCscd& rod,
                                    ListRods& out) {
  auto token = call.nexus.target().copy_manager().use_token(call.unit().id(), *rod.token,
                                                            token_gate(call.nexus));
  copymgr::RodRequest request;
  request.cscd_id = rod.cscd_id;
  copymgr::Cscd view;
  if (token) {
    view = checked(rod, view_of(*token, call.unit()));
    request.lease = std::move(token->lease);
    request.delete_token = rod.delete_token;
  } else if (token.error().kind == copymgr::CopyFault::Kind::source_reserved) {
    SegmentFault reserved;
    reserved.kind = Kind::reservation_conflict;
    reserved.field = scsi::segment::source_id.pointer();
    view = base::fail(reserved);
  } else {
    token.error().token_at = rod.token_at;
    return RodRefusal{sense_of(token.error()), token.error(), &*rod.token};
  }
  out.plans.push_back({rod.cscd_id, std::move(view), true, {}});
  out.requests.push_back(std::move(request));
  return std::nullopt;
}

}  // namespace

base::Result<ListRods, RodRefusal> open_rods(const Invocation& call, const scsi::ExtendedCopy& list,
                                             const copymgr::CopyLimits& own,
                                             scsi::ListIdUsage usage) {
  ListRods out;
  for (const scsi::RodCscd& rod : list.rods) {
    if (!rod.token) {
      if (auto bad = check(rod, own, usage)) return base::fail(std::move(*bad));
      if (auto bad = add_populated(call, list, rod, own, out)) return base::fail(std::move(*bad));
    } else if (own.offers_tokens()) {
      if (auto bad = add_token(call, rod, out)) return base::fail(std::move(*bad));
    } else if (rod.at != 0) {
      return base::fail(bad_field(rod, fields::rod_type));
    }  // else F800h, which leads nowhere here
  }
  return out;
}

}  // namespace device
