// What the tests of RODs in an EXTENDED COPY share: volumes 1 to 3, RODs from identifier 10 on,
// lists that are planned and run.
#pragma once

#include <utility>

#include <catch2/catch.hpp>

#include "copymgr/list_plan.hpp"
#include "tests/unit/copymgr/copy_world.hpp"

namespace copymgr::test {

inline constexpr std::uint16_t rod_id = 10;  // of the first; identifiers below are volumes

inline scsi::SegmentDescriptor populate(std::vector<base::BlockRange> ranges,
                                        std::uint16_t rod = rod_id) {
  scsi::SegmentDescriptor out;
  out.type = scsi::SegmentType::populate_rod_from_ranges;
  out.source_id = 0xffff;
  out.destination_id = rod;
  out.ranges = std::move(ranges);
  return out;
}
inline scsi::SegmentDescriptor blocks(std::uint16_t source, std::uint64_t from,
                                      std::uint16_t destination, std::uint64_t into,
                                      std::uint64_t count) {
  scsi::SegmentDescriptor out;
  out.source_id = source;
  out.destination_id = destination;
  out.source_lba = base::Lba(from);
  out.destination_lba = base::Lba(into);
  out.count = count;
  return out;
}

struct RodWorld {
  explicit RodWorld(CopySettings settings = CopyWorld::small_steps()) : world(settings) {
    attach();
  }
  explicit RodWorld(base::Executor& pool) : world(pool, one_step_a_slice()) { attach(); }
  void attach() {
    for (TestVolume* each : {&a, &b, &c})
      world.manager.attach(each->volume);
  }
  static CopySettings one_step_a_slice() {
    CopySettings settings = CopyWorld::small_steps();
    settings.slice = base::Duration(0);
    return settings;
  }

  CscdView view(std::uint64_t volume) const {
    CscdView out;
    out.volume_id = volume;
    out.block_length = block_length;
    out.capacity = base::BlockCount(32);
    return out;
  }
  // One more ROD, of a volume.
  RodRequest& add_rod(std::uint64_t producer, bool wants_token = false) {
    const auto id = static_cast<std::uint16_t>(rod_id + plans.size());
    plans.push_back({id, view(producer), false, maximum_rod_bytes});
    RodRequest request;
    request.cscd_id = id;
    request.wants_token = wants_token;
    requests.push_back(std::move(request));
    return requests.back();
  }
  // One more ROD, of a token; why not.
  std::optional<CopyFault> add_rod(const scsi::RodTokenBytes& token, bool delete_token = false) {
    auto used = world.manager.use_token(1, token);
    if (!used) return used.error();
    CscdView of_token;
    of_token.volume_id = used->lease ? used->volume_id : 1;
    of_token.block_length = used->block_length;
    of_token.capacity = used->blocks;
    of_token.zeros = used->lease == nullptr;
    const auto id = static_cast<std::uint16_t>(rod_id + plans.size());
    plans.push_back({id, of_token, true, {}});
    RodRequest request;
    request.cscd_id = id;
    request.lease = std::move(used->lease);
    request.delete_token = delete_token;
    requests.push_back(std::move(request));
    return std::nullopt;
  }

  std::vector<PlannedSegment> plan(const std::vector<scsi::SegmentDescriptor>& segments) const {
    return plan_list(
        segments, plans,
        [this](std::uint16_t id, SegmentSide) -> Cscd {
          if (id >= 1 && id <= 3) return view(id);
          return base::fail(SegmentFault{});
        },
        0);
  }
  std::optional<CopyOutcome> copy(const std::vector<scsi::SegmentDescriptor>& segments,
                                  scsi::ListIdUsage usage = scsi::ListIdUsage::hold) {
    outcome.reset();
    auto planned = plan(segments);
    plans.clear();
    world.manager.extended_copy(
        key(1),
        {0x00, usage, {false, nullptr, this}, std::move(planned), std::exchange(requests, {})},
        [this](CopyOutcome ended) { outcome = ended; });
    return outcome;
  }
  std::vector<scsi::CopyResult::RodCscdToken> tokens() {
    const auto report = world.manager.report(key(1));
    return report ? report->rod_cscd_tokens : std::vector<scsi::CopyResult::RodCscdToken>();
  }
  std::uint64_t live() const { return world.manager.token_counters().live; }

  TestVolume a{1, 32}, b{2, 32}, c{3, 32};
  CopyWorld world;
  base::ByteCount maximum_rod_bytes;
  std::vector<RodPlan> plans;
  std::vector<RodRequest> requests;
  std::optional<CopyOutcome> outcome;
};

inline void check_fault(const std::optional<CopyOutcome>& outcome, SegmentFault::Kind kind,
                        std::uint16_t number) {
  REQUIRE(outcome);
  REQUIRE_FALSE(*outcome);
  REQUIRE(outcome->error().segment);
  CHECK(outcome->error().segment->kind == kind);
  CHECK(outcome->error().segment->segment == number);
}

inline Bytes part(const Bytes& of, std::uint64_t block, std::uint64_t count) {
  const auto first = of.begin() + static_cast<std::ptrdiff_t>(block * 512);
  return {first, first + static_cast<std::ptrdiff_t>(count * 512)};
}
inline Bytes together(Bytes first, const Bytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace copymgr::test
