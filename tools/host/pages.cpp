#include "tools/host/pages.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "scsi/primary_cdbs.hpp"

namespace host {

using base::fail;

std::string refused(const Command& command, const Reply& reply) {
  return fmt::format("{}: {}", command.name, describe(reply));
}

Told<PageBytes> read_in(Lun& lun, Command command, std::size_t allocation) {
  PageBytes data(allocation);
  command.data_in = data;
  const Reply reply = execute_patiently(lun, command);
  if (!reply.good()) return fail(refused(command, reply));
  data.resize(reply.data_in_bytes);
  return data;
}

Told<PageBytes> read_inquiry(Lun& lun, std::optional<std::uint8_t> page, std::size_t allocation) {
  Command command = make_command(scsi::inquiry::layout);
  scsi::inquiry::evpd.write(command.cdb, page.has_value());
  scsi::inquiry::page_code.write(command.cdb, page.value_or(0));
  scsi::inquiry::allocation_length.write(command.cdb, allocation);
  return read_in(lun, command, allocation);
}

std::optional<PageBytes> read_page(Lun& lun, std::uint8_t page) {
  auto data = read_inquiry(lun, page, windows_allocation_bytes);
  if (!data) return std::nullopt;
  const std::size_t whole =
      data->size() < page_header_bytes ? 0 : base::load_be16(*data, 2) + page_header_bytes;
  if (whole > windows_allocation_bytes && page != 0x00) {
    if (auto longer = read_inquiry(lun, page, std::min<std::size_t>(whole, 65535))) {
      return std::move(*longer);
    }
  }
  return std::move(*data);
}

bool lists(const std::optional<PageBytes>& supported, std::uint8_t page) {
  return supported && supported->size() > page_header_bytes &&
         std::find(supported->begin() + page_header_bytes, supported->end(), page) !=
             supported->end();
}

std::optional<base::ByteView> view(const std::optional<PageBytes>& bytes) {
  return bytes ? std::optional<base::ByteView>(*bytes) : std::nullopt;
}

}  // namespace host
