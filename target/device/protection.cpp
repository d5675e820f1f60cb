#include "target/device/protection.hpp"

#include "scsi/long_cdbs.hpp"

namespace device {
namespace {

namespace long_cdb = scsi::long_cdb;

bool is_long(base::ByteView cdb) {
  return cdb[0] == scsi::variable_length::opcode;
}

store::ProtectionChecks checks_of(const scsi::media::Request& request, base::ByteView cdb,
                                  const store::ProtectionFormat& format) {
  const scsi::ProtectionFields fields = scsi::checked_fields(request.protect);
  store::ProtectionChecks out;
  out.guard = fields.guard;
  const bool by_address = format.type == store::ProtectionType::type_1;
  if (fields.reference_tag && by_address) {
    out.reference_tag = static_cast<std::uint32_t>(request.range.first.value);
  }
  if (!is_long(cdb)) return out;
  if (fields.reference_tag) {
    out.reference_tag = static_cast<std::uint32_t>(long_cdb::reference_tag.read(cdb));
  }
  if (fields.application_tag && format.application_owns_tags()) {
    out.application_tag = static_cast<std::uint16_t>(long_cdb::application_tag.read(cdb));
    out.application_tag_mask = static_cast<std::uint16_t>(long_cdb::application_tag_mask.read(cdb));
  }
  return out;
}

}  // namespace

const scsi::Field& protect_field(base::ByteView cdb) {
  return is_long(cdb) ? long_cdb::rdprotect : scsi::media::rdprotect;
}

std::optional<scsi::Sense> refuse_protect(const scsi::media::Request& request, base::ByteView cdb,
                                          const LogicalUnit& unit) {
  if (request.protect == 0 || !scsi::media::has_protect(cdb[0])) return std::nullopt;
  const store::ProtectedStore* const protection = unit.protection();
  if (protection != nullptr && !is_long(cdb) &&
      protection->format().type == store::ProtectionType::type_2) {
    return scsi::sense::invalid_operation_code();
  }
  if (protection == nullptr || scsi::is_reserved_protect(request.protect)) {
    return scsi::sense::invalid_field_in_cdb(protect_field(cdb));
  }
  return std::nullopt;
}

base::ByteCount transfer_bytes(base::BlockCount count, std::uint8_t protect,
                               const LogicalUnit& unit) {
  const std::size_t tuple = protect == 0 ? 0 : store::tuple_bytes;
  return base::ByteCount(count.value * (unit.block_length().bytes + tuple));
}

store::ProtectionChecks medium_checks(const scsi::media::Request& request, base::ByteView cdb,
                                      const LogicalUnit& unit) {
  return checks_of(request, cdb, unit.protection()->format());
}

store::ProtectionChecks sent_checks(const scsi::media::Request& request, base::ByteView cdb,
                                    const LogicalUnit& unit) {
  store::ProtectionChecks out = medium_checks(request, cdb, unit);
  out.passes_escapes = false;
  return out;
}

store::ComparedFields compared_fields(std::uint8_t protect, const LogicalUnit& unit) {
  const bool tag_owner = unit.protection()->format().application_owns_tags();
  const scsi::ProtectionFields fields = scsi::compared_fields(protect, tag_owner);
  return {fields.guard, fields.application_tag, fields.reference_tag};
}

scsi::AdditionalSense failed_check(store::ProtectionField field) {
  switch (field) {
    case store::ProtectionField::guard:
      return scsi::asc::guard_check_failed;
    case store::ProtectionField::application_tag:
      return scsi::asc::application_tag_check_failed;
    case store::ProtectionField::reference_tag:
      return scsi::asc::reference_tag_check_failed;
  }
  return scsi::asc::guard_check_failed;
}

}  // namespace device
