// CAT: parts of blocks that go to the next segment (wire reference 8.4), planned and moved, against
// a model that reads and writes one block after the other. Every list of two segments of a small
// world, and many of four.
#include <catch2/catch.hpp>

#include "copymgr/list_plan.hpp"
#include "tests/unit/copymgr/copy_world.hpp"

using namespace copymgr;
using namespace copymgr::test;
using Kind = SegmentFault::Kind;

namespace {

constexpr std::uint64_t volume_blocks = 64;  // of 512

struct Side {
  std::uint32_t block_bytes = 512;
  bool pad = false;
};
struct Case {
  Side source, destination;
  std::vector<scsi::SegmentDescriptor> segments;
};

scsi::SegmentDescriptor blocks(std::uint64_t from, std::uint64_t into, std::uint64_t count, bool dc,
                               bool cat) {
  scsi::SegmentDescriptor out;
  out.source_id = 0;
  out.destination_id = 1;
  out.source_lba = base::Lba(from);
  out.destination_lba = base::Lba(into);
  out.count = count;
  out.dc = dc;
  out.cat = cat;
  return out;
}

CscdView view(std::uint64_t volume, const Side& side) {
  CscdView out;
  out.volume_id = volume;
  out.block_length = base::BlockLength{side.block_bytes};
  out.capacity = base::BlockCount(volume_blocks * 512 / side.block_bytes);
  out.pad = side.pad;
  return out;
}

std::vector<PlannedSegment> plan(const Case& c) {
  return plan_list(
      c.segments, {},
      [&c](std::uint16_t id, SegmentSide) -> Cscd {
        return id == 0 ? view(1, c.source) : view(2, c.destination);
      },
      0);
}

// Block by block. The segment that cannot be done, and what is written before it.
struct Modelled {
  std::optional<std::size_t> failed;
  Bytes destination;
};

class Model {
 public:
  Model(const Case& c, const Bytes& source, Bytes destination)
      : case_(c), source_(source), destination_(std::move(destination)) {}

  Modelled run() {
    std::optional<std::size_t> carrier;
    std::vector<Bytes> before;
    for (std::size_t i = 0; i < case_.segments.size(); ++i) {
      before.push_back(destination_);
      if (case_.segments[i].count == 0) continue;
      if (!segment(case_.segments[i])) return {i, before[i]};
      if (!stream_.empty()) carrier = i;
    }
    if (!stream_.empty()) return {carrier, before.at(*carrier)};
    return {std::nullopt, destination_};
  }

 private:
  bool segment(const scsi::SegmentDescriptor& s) {
    next_read_ = s.source_lba.value * case_.source.block_bytes;
    next_write_ = s.destination_lba.value * case_.destination.block_bytes;
    if (s.dc) {
      for (std::uint64_t i = 0; i < s.count; ++i) {
        while (stream_.size() < case_.destination.block_bytes)
          read();
        write();
      }
    } else {
      for (std::uint64_t i = 0; i < s.count; ++i)
        read();
      while (stream_.size() >= case_.destination.block_bytes)
        write();
    }
    if (stream_.empty() || s.cat) return true;
    if (!s.dc && case_.destination.pad) {
      stream_.resize(case_.destination.block_bytes);
      write();
      return true;
    }
    stream_.clear();
    return case_.source.pad;
  }
  void read() {
    const auto from = source_.begin() + static_cast<std::ptrdiff_t>(next_read_);
    stream_.insert(stream_.end(), from, from + case_.source.block_bytes);
    next_read_ += case_.source.block_bytes;
  }
  void write() {
    const auto n = static_cast<std::ptrdiff_t>(case_.destination.block_bytes);
    std::copy_n(stream_.begin(), n,
                destination_.begin() + static_cast<std::ptrdiff_t>(next_write_));
    stream_.erase(stream_.begin(), stream_.begin() + n);
    next_write_ += case_.destination.block_bytes;
  }

  const Case& case_;
  const Bytes& source_;
  Bytes destination_, stream_;
  std::uint64_t next_read_ = 0, next_write_ = 0;
};

struct CarryWorld {
  CarryWorld() {
    world.manager.attach(a.volume);
    world.manager.attach(b.volume);
  }

  // Whether the copy did what the model does.
  bool agrees(const Case& c) {
    b.write(0, old);
    const Modelled wanted = Model(c, source, old).run();
    std::optional<CopyOutcome> outcome;
    world.manager.extended_copy(key(1),
                                {0x00, scsi::ListIdUsage::hold, {false, nullptr, this}, plan(c)},
                                [&outcome](CopyOutcome ended) { outcome = ended; });
    if (!outcome || b.all() != wanted.destination) return false;
    if (!wanted.failed) return outcome->has_value();
    return !*outcome && outcome->error().segment &&
           outcome->error().segment->kind == Kind::inexact &&
           outcome->error().segment->segment == *wanted.failed;
  }

  TestVolume a{1, volume_blocks}, b{2, volume_blocks};
  CopyWorld world;
  const Bytes source = a.all(), old = b.all();
};

std::string text_of(const Case& c) {
  std::string out = std::to_string(c.source.block_bytes) + (c.source.pad ? " PAD -> " : " -> ") +
                    std::to_string(c.destination.block_bytes) + (c.destination.pad ? " PAD:" : ":");
  for (const auto& s : c.segments) {
    out += " " + std::to_string(s.count) + (s.dc ? " DC" : "") + (s.cat ? " CAT" : "");
  }
  return out;
}

// The nth of the segments of a place in the list; there are 16 each.
scsi::SegmentDescriptor nth(std::uint32_t n, std::uint64_t place) {
  return blocks(2 + 5 * place, 1 + 4 * place, n % 4, (n & 4) != 0, (n & 8) != 0);
}

template <class Each>
void for_all_sides(const Each& each) {
  for (const std::uint32_t from : {512u, 1024u, 1536u}) {
    for (const std::uint32_t into : {512u, 1024u, 1536u}) {
      for (const unsigned pads : {0u, 1u, 2u, 3u})
        each(Side{from, (pads & 1) != 0}, Side{into, (pads & 2) != 0});
    }
  }
}

}  // namespace

TEST_CASE("8.4 CAT: every list of two segments does what reading and writing blocks does") {
  CarryWorld w;
  std::size_t wrong = 0;
  for_all_sides([&](Side from, Side into) {
    for (std::uint32_t n = 0; n < 256; ++n) {
      const Case c{from, into, {nth(n % 16, 0), nth(n / 16, 1)}};
      if (w.agrees(c)) continue;
      if (++wrong < 10) UNSCOPED_INFO(text_of(c));
    }
  });
  CHECK(wrong == 0);
}

TEST_CASE("8.4 CAT: lists of four segments") {
  CarryWorld w;
  std::mt19937 random(5);
  std::size_t wrong = 0;
  for_all_sides([&](Side from, Side into) {
    for (int i = 0; i < 600; ++i) {
      Case c{from, into, {}};
      for (const std::uint64_t place : {0u, 1u, 2u, 3u})
        c.segments.push_back(nth(random() % 16, place));
      if (w.agrees(c)) continue;
      if (++wrong < 10) UNSCOPED_INFO(text_of(c));
    }
  });
  CHECK(wrong == 0);
}

TEST_CASE("8.4 CAT: what is planned, in bytes") {
  const Side small{512}, large{4096};
  // Nine blocks of 512: one of 4096, and 512 bytes go on; then seven more complete the next one.
  auto planned =
      plan({small, large, {blocks(0, 0, 9, false, true), blocks(20, 1, 7, false, false)}});
  REQUIRE(planned.size() == 2);
  REQUIRE((planned[0] && planned[1]));
  CHECK(planned[0]->from == base::Extent{base::ByteOffset(0), base::ByteCount(4608)});
  CHECK(planned[0]->into == base::Extent{base::ByteOffset(0), base::ByteCount(4096)});
  CHECK(planned[0]->carried_on.value == 512);
  CHECK(planned[1]->from == base::Extent{base::ByteOffset(10240), base::ByteCount(3584)});
  CHECK(planned[1]->into == base::Extent{base::ByteOffset(4096), base::ByteCount(4096)});
  CHECK(planned[1]->carried_in.value == 512);
  // A part of a block that no segment takes, or that a 0Ah would have to: 26/0A, nothing moves.
  planned = plan({small, large, {blocks(0, 0, 8, false, false), blocks(8, 1, 1, false, true)}});
  REQUIRE(planned.size() == 2);
  CHECK(planned[0]);
  REQUIRE_FALSE(planned[1]);
  CHECK(planned[1].error().kind == Kind::inexact);
  CHECK(planned[1].error().field == scsi::segment::block_count.pointer());
  scsi::SegmentDescriptor bytes = blocks(0, 1, 512, false, false);
  bytes.type = scsi::SegmentType::block_to_block_with_offset;
  planned = plan({small, large, {blocks(8, 0, 1, false, true), bytes}});
  REQUIRE_FALSE(planned.back());
  CHECK(planned.back().error().kind == Kind::inexact);
  CHECK(planned.back().error().field == scsi::segment::byte_count.pointer());
}

TEST_CASE("26/0D what is carried in shifts what is read behind it") {
  CscdView from = view(1, {512}), into = view(2, {1536});
  const auto segment = blocks(0, 0, 2, false, false);
  CHECK(plan_segment(segment, from, into, 0, base::ByteCount(512)));
  from.alignment_bytes = 1024;
  const auto planned =
      plan_segment(blocks(0, 0, 4, false, true), from, into, 0, base::ByteCount(1024));
  REQUIRE_FALSE(planned);
  CHECK(planned.error().kind == Kind::granularity);
  CHECK(planned.error().side == SegmentSide::source);
}

TEST_CASE("a medium that fails while a part of a block is carried") {
  CarryWorld w;
  w.a.faults->lends = w.b.faults->lends = false;
  const Case c{{512}, {1024}, {blocks(0, 0, 1, false, true), blocks(4, 0, 3, false, false)}};
  std::optional<CopyOutcome> outcome;
  const auto run = [&] {
    w.world.manager.extended_copy(key(1),
                                  {0x00, scsi::ListIdUsage::hold, {false, nullptr, &w}, plan(c)},
                                  [&outcome](CopyOutcome ended) { outcome = ended; });
    REQUIRE(outcome);
    REQUIRE_FALSE(*outcome);
    return *outcome->error().segment;
  };
  SECTION("the part itself cannot be read") {
    w.a.faults->fail_read = 1;
    const SegmentFault fault = run();
    CHECK(fault.kind == Kind::read_failed);
    CHECK(fault.segment == 0);
    CHECK_FALSE(fault.residual);
    CHECK(w.b.all() == w.old);
  }
  SECTION("what completes its block") {
    w.a.faults->fail_read = 2;
    const SegmentFault fault = run();
    CHECK(fault.kind == Kind::read_failed);
    CHECK(fault.segment == 1);
    CHECK(w.b.all() == w.old);
  }
  SECTION("that block cannot be written") {
    w.b.faults->fail_write = 1;
    const SegmentFault fault = run();
    CHECK(fault.kind == Kind::write_failed);
    CHECK(fault.side == SegmentSide::destination);
    CHECK(fault.segment == 1);
    CHECK(w.b.all() == w.old);
  }
}
