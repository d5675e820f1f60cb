#include "scsi/sanitize_cdbs.hpp"

namespace scsi {

using base::fail;

std::optional<Sense> check_sanitize_list_length(base::ByteView cdb,
                                                base::BlockLength block_length) {
  const std::uint64_t length = sanitize::parameter_list_length.read(cdb);
  const bool overwrites = service_action_field.read(cdb) == *sanitize::overwrite.service_action;
  const bool right = overwrites ? length > sanitize::pattern_at &&
                                      length <= sanitize::pattern_at + block_length.bytes
                                : length == 0;
  if (right) return std::nullopt;
  return sense::invalid_field_in_cdb(sanitize::parameter_list_length);
}

base::Result<SanitizeOverwrite, Sense> decode_sanitize_overwrite(base::ByteView list,
                                                                 std::size_t list_length,
                                                                 base::BlockLength block_length) {
  namespace fields = sanitize;
  if (list.size() != list_length) {
    return fail(sense::illegal_request(asc::parameter_list_length_error));
  }
  // TEST would have a vendor-specific meaning, and here it has none.
  for (const Field& field : {fields::test, fields::reserved}) {
    if (field.is_set(list)) return fail(sense::invalid_field_in_parameter_list(field));
  }
  SanitizeOverwrite out;
  out.passes = static_cast<std::uint8_t>(fields::overwrite_count.read(list));
  if (out.passes == 0) return fail(sense::invalid_field_in_parameter_list(fields::overwrite_count));
  const std::uint64_t length = fields::pattern_length.read(list);
  if (length == 0 || length > block_length.bytes) {
    return fail(sense::invalid_field_in_parameter_list(fields::pattern_length));
  }
  if (list.size() != fields::pattern_at + length) {
    return fail(sense::illegal_request(asc::parameter_list_length_error));
  }
  out.inverts = fields::invert.is_set(list);
  out.pattern.assign(list.begin() + fields::pattern_at, list.end());
  return out;
}

}  // namespace scsi
