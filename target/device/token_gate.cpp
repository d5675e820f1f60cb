#include "target/device/token_gate.hpp"

namespace device {
namespace {

bool may_use(const Nexus& nexus, const UnitPath* source, const copymgr::TokenOrigin& origin) {
  switch (origin.use) {
    case copymgr::TokenUse::bearer:
      return true;
    case copymgr::TokenUse::same_initiator:
      return nexus.identity().initiator_name == origin.made_by.initiator_name;
    case copymgr::TokenUse::visible_source:
      return source != nullptr;
  }
  return false;
}

}  // namespace

copymgr::TokenGate token_gate(const Nexus& nexus) {
  return [&nexus](const copymgr::TokenOrigin& origin) -> std::optional<copymgr::CopyFault> {
    using Kind = copymgr::CopyFault::Kind;
    const UnitPath* const source = nexus.path_to(origin.source.id);
    if (!may_use(nexus, source, origin)) return copymgr::CopyFault{Kind::not_authorized};
    // The data is read from the source now: its reservations count as well (windows-host D.4).
    if (source != nullptr && source->refused.contains(ReservationRule::reads)) {
      return copymgr::CopyFault{Kind::source_reserved};
    }
    return std::nullopt;
  };
}

}  // namespace device
