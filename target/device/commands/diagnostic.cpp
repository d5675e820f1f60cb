// SEND DIAGNOSTIC and RECEIVE DIAGNOSTIC RESULTS: a self-test, and the one diagnostic page that
// there is, which lists the pages.
#include <algorithm>

#include "scsi/maintenance_cdbs.hpp"
#include "target/device/command_table.hpp"
#include "target/device/commands/commands.hpp"

namespace device::commands {
namespace {

enum : std::uint8_t { no_self_test_code = 0, foreground_short = 5, foreground_extended = 6 };
constexpr std::uint8_t supported_pages = 0x00;

void refuse(const Invocation& call, const scsi::Field& field) {
  call.task.finish_check_condition(scsi::sense::invalid_field_in_cdb(field));
}

// The first block and the last can be read from the store, and the store can make what it has
// durable.
void run_self_test(const Invocation& call) {
  call.path->channel.on_pool(
      [unit = call.path->unit] {
        const base::BlockLength length = unit->block_length();
        std::vector<std::uint8_t> block(length.bytes);
        const std::uint64_t last = std::max<std::uint64_t>(unit->capacity().value, 1) - 1;
        for (const std::uint64_t lba : {std::uint64_t{0}, last}) {
          if (unit->capacity().value == 0) break;
          if (!unit->guard().read(length.to_offset(base::Lba(lba)), block)) return false;
        }
        return unit->guard().flush().has_value();
      },
      [&task = call.task](bool passed) {
        if (passed) return task.finish_good();
        task.finish_check_condition(
            scsi::sense::make(scsi::SenseKey::hardware_error, scsi::asc::failed_self_test));
      });
}

// The list asks for a page: the next RECEIVE DIAGNOSTIC RESULTS without PCV gives it (SPC-4 6.42).
// There is only the list of pages, so that nothing needs to be remembered.
std::optional<scsi::Sense> check_page(base::ByteView list, std::uint64_t length) {
  namespace fields = scsi::diagnostic_page;
  if (list.size() != length || length < fields::header_bytes) {
    return scsi::sense::illegal_request(scsi::asc::parameter_list_length_error);
  }
  if (fields::page_code.read(list) != supported_pages) {
    return scsi::sense::invalid_field_in_parameter_list(fields::page_code);
  }
  if (fields::page_length.is_set(list)) {
    return scsi::sense::invalid_field_in_parameter_list(fields::page_length);
  }
  if (length != fields::header_bytes) {
    return scsi::sense::illegal_request(scsi::asc::parameter_list_length_error);
  }
  return std::nullopt;
}

}  // namespace

// Background self-tests would need their results kept (log page 10h): they are refused. DEVOFFL and
// UNITOFFL only permit what no test here does.
void send_diagnostic(const Invocation& call) {
  namespace fields = scsi::send_diagnostic;
  const base::ByteView cdb = call.cdb();
  const std::uint64_t code = fields::self_test_code.read(cdb);
  const std::uint64_t length = fields::parameter_list_length.read(cdb);
  const bool self_test = fields::self_test.is_set(cdb);
  call.task.transfer_length = base::ByteCount(length);
  const bool known_code =
      code == no_self_test_code || code == foreground_short || code == foreground_extended;
  if (!known_code || (self_test && code != no_self_test_code)) {
    return refuse(call, fields::self_test_code);
  }
  const bool tests = self_test || code != no_self_test_code;
  if (length != 0 && (tests || !fields::page_format.is_set(cdb))) {
    return refuse(call, tests ? fields::parameter_list_length : fields::page_format);
  }
  if (tests) return run_self_test(call);
  if (length == 0) return call.task.finish_good();
  if (const auto bad = check_page(call.task.data_out.view(), length)) {
    return call.task.finish_check_condition(*bad);
  }
  call.task.finish_good();
}

void receive_diagnostic_results(const Invocation& call) {
  namespace fields = scsi::receive_diagnostic_results;
  // With PCV or without: the page that SEND DIAGNOSTIC can ask for is the same.
  if (fields::page_code.read(call.cdb()) != supported_pages) return refuse(call, fields::page_code);
  std::vector<std::uint8_t> page(scsi::diagnostic_page::header_bytes + 1);
  scsi::diagnostic_page::page_length.write(page, 1);
  page.back() = supported_pages;
  call.task.finish_data(std::move(page), fields::allocation_length.read(call.cdb()));
}

}  // namespace device::commands
