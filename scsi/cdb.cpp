#include "scsi/cdb.hpp"

#include <fmt/format.h>

namespace scsi {

std::string trace(const CdbLayout& layout, base::ByteView cdb) {
  std::string text(layout.name);
  for (const Field& field : layout.fields) {
    if (field.name.empty() || field.end_byte() > cdb.size()) continue;
    if (const std::uint64_t value = field.read(cdb); value != 0) {
      text += fmt::format(" {}={}", field.name, value);
    }
  }
  return text;
}

}  // namespace scsi
