// Every decoder of bytes that come from a host or from another array. The first byte chooses which;
// what decodes is encoded and decoded again where there is an encoder.
#include <cstdlib>

#include "scsi/copy_results.hpp"
#include "scsi/extended_copy_parameters.hpp"
#include "scsi/log_pages.hpp"
#include "scsi/mode_pages.hpp"
#include "scsi/persistent_reserve.hpp"
#include "scsi/pull_commands.hpp"
#include "scsi/target_port_groups.hpp"
#include "scsi/third_party_copy_page.hpp"
#include "scsi/token_parameters.hpp"
#include "tests/fuzz/bytes.hpp"
#include "tests/unit/scsi/layouts.hpp"

namespace {

using fuzz::Reader;

void require(bool holds) {
  if (!holds) std::abort();
}

scsi::TokenCommandLimits limits_of(Reader& input) {
  scsi::TokenCommandLimits out;
  out.maximum_range_descriptors = input.u8();
  out.maximum_inactivity_timeout_seconds = input.u16();
  out.maximum_token_transfer_size = base::BlockCount(input.u16());
  out.capacity = base::BlockCount(std::uint64_t{1} << input.u8() % 64);
  return out;
}

template <class Request>
void check_ranges(const Request& request, const scsi::TokenCommandLimits& limits) {
  for (const base::BlockRange& range : request.ranges) {
    require(range.count.value != 0);
    require(range.count.value <= limits.capacity.value);
    require(range.first.value <= limits.capacity.value - range.count.value);
  }
  require(request.ranges.size() <= limits.maximum_range_descriptors);
}

void token_lists(Reader& input) {
  const auto limits = limits_of(input);
  const bool populate = input.u8() % 2 == 0;
  const base::ByteView list = input.rest();
  if (list.empty()) return;  // a zero length is the caller's
  if (populate) {
    if (const auto request = scsi::decode_populate_token(list, limits)) {
      check_ranges(*request, limits);
      if (request->ranges.empty()) return;  // no list says that
      const auto again = scsi::decode_populate_token(scsi::encode(*request), limits);
      require(again && again->total() == request->total());
    }
  } else if (const auto request = scsi::decode_write_using_token(list, limits)) {
    check_ranges(*request, limits);
    if (request->ranges.empty()) return;
    const auto again = scsi::decode_write_using_token(scsi::encode(*request), limits);
    require(again && again->token == request->token);
  }
}

void extended_copy_lists(Reader& input) {
  const std::uint8_t action = input.u8() % 2;
  const scsi::ExtendedCopyLimits limits{input.u8(), input.u8(), input.u16(), 0, 2048};
  const base::ByteView list = input.rest();
  if (!scsi::decode_extended_copy_header(list, action)) return;
  const auto copy = scsi::decode_extended_copy(list, action, limits);
  if (!copy) return;
  require(copy->cscds.size() <= limits.maximum_cscd_descriptors);
  require(copy->segments.size() <= limits.maximum_segment_descriptors);
  for (const scsi::CscdDescriptor& cscd : copy->cscds)
    require(cscd.designator.size() <= scsi::cscd::designator_bytes_max);
  for (const scsi::RodCscd& rod : copy->rods) {
    if (!rod.token) continue;
    require(std::equal(rod.token->begin(), rod.token->end(), list.begin() + rod.token_at));
    require(!rod.r_token);
  }
  for (const scsi::SegmentDescriptor& segment : copy->segments)
    require(scsi::populates(segment.type) || segment.ranges.empty());
}

void mode_select(Reader& input) {
  const auto form = input.u8() % 2 == 0 ? scsi::ModeForm::six : scsi::ModeForm::ten;
  const scsi::ModeSenseUnit unit{
      {input.u8() % 2 == 0}, {}, base::BlockCount(1000), base::BlockLength{512}};
  static_cast<void>(scsi::apply_mode_select(input.rest(), form, unit));
}

void answers(Reader& input) {
  const std::uint8_t choice = input.u8();
  const base::ByteView bytes = input.rest();
  switch (choice % 5) {
    case 4:
      static_cast<void>(scsi::pull::decode_challenge(bytes));
      static_cast<void>(scsi::pull::decode_opened(bytes));
      if (const auto open = scsi::pull::decode_open(bytes))
        require(scsi::pull::encode(*open).size() == scsi::pull::open_bytes);
      break;
    case 0:
      static_cast<void>(scsi::decode_rod_token_information(bytes));
      break;
    case 1:
      static_cast<void>(scsi::windows_reads(bytes));
      break;
    case 2:
      static_cast<void>(scsi::remote_tokens_of(bytes));
      break;
    case 3:
      if (const auto sense = scsi::parse_sense(bytes)) static_cast<void>(scsi::to_text(*sense));
      break;
  }
}

void cdbs(Reader& input) {
  const auto& known = scsi::test::every_layout();
  const scsi::CdbLayout& layout = known[input.u8() % known.size()].layout;
  scsi::CdbBytes cdb{};
  const base::ByteView bytes = input.take(cdb.size());
  std::copy(bytes.begin(), bytes.end(), cdb.begin());
  if (const auto bad = scsi::first_reserved_bit(layout, cdb)) require(bad->byte < layout.length);
  static_cast<void>(scsi::trace(layout, cdb));
}

void reservation_lists(Reader& input) {
  const std::uint8_t action = input.u8();
  const base::ByteView list = input.rest();
  if (action % 8 == 7) {
    const auto move = scsi::decode_register_and_move(list, list.size());
    if (!move) return;
    const auto bytes = scsi::encode(move->transport_id);
    const auto again = scsi::decode_transport_id(bytes, 0, bytes.size());
    require(again && again->id == move->transport_id);
    return;
  }
  const auto request = scsi::decode_persistent_reserve_out(
      list, list.size(), static_cast<scsi::persistent_reserve_out::Action>(action % 8));
  if (!request) return;
  require(request->transport_ids.size() <= list.size() / 24);
  require(request->specify_initiator_ports || list.size() == 24);
}

void reporting_lists(Reader& input) {
  const bool log = input.u8() % 2 == 0;
  const base::ByteView list = input.rest();
  if (log) {
    const auto changes = scsi::decode_log_select(list, list.size());
    require(!changes || changes->size() <= list.size() / scsi::application_parameter_bytes);
    if (!changes) return;
    for (const auto& change : *changes)
      require(change.code < scsi::application_parameters);
  } else if (const auto requests = scsi::decode_set_target_port_groups(list, list.size())) {
    require(requests->size() <= list.size() / 4);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Reader input({data, size});
  switch (input.u8() % 7) {
    case 0:
      token_lists(input);
      break;
    case 1:
      mode_select(input);
      break;
    case 2:
      answers(input);
      break;
    case 3:
      cdbs(input);
      break;
    case 4:
      reservation_lists(input);
      break;
    case 5:
      reporting_lists(input);
      break;
    case 6:
      extended_copy_lists(input);
      break;
  }
  return 0;
}
