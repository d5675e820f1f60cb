// The pure parts of a load: latencies in buckets, blocks that tell what they are, the order of
// commands, which writes a read may see.
#include <numeric>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "tools/load/cpu_time.hpp"
#include "tools/load/generations.hpp"
#include "tools/load/histogram.hpp"
#include "tools/load/offsets.hpp"
#include "tools/load/report.hpp"
#include "tools/load/work.hpp"

using base::Duration;
using load::Stamp;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes block_of(const Stamp& stamp, std::size_t bytes = 512) {
  Bytes out(bytes, 0xee);
  load::fill_block(out, stamp);
  return out;
}

}  // namespace

TEST_CASE("a histogram's quantiles are those of the sorted latencies, at most 1/32 above") {
  std::mt19937_64 random(7);
  for (const double mean_nanoseconds : {20.0, 3e3, 8e4, 5e7}) {
    std::exponential_distribution<double> latency(1 / mean_nanoseconds);
    load::Histogram histogram;
    std::vector<std::int64_t> all(5000);
    for (auto& each : all) {
      each = static_cast<std::int64_t>(latency(random));
      histogram.record(Duration(each));
    }
    std::sort(all.begin(), all.end());
    CHECK(histogram.count() == all.size());
    CHECK(histogram.max().count() == all.back());
    for (const double part : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const auto rank = static_cast<std::size_t>(std::ceil(part * 5000)) - 1;
      const std::int64_t exact = all[rank], found = histogram.quantile(part).count();
      INFO(mean_nanoseconds << " " << part << " " << exact << " " << found);
      CHECK(found >= exact);
      CHECK(found <= exact + exact / 32 + 1);
    }
  }
}

TEST_CASE("a histogram at its ends") {
  load::Histogram histogram;
  CHECK(histogram.quantile(0.5).count() == 0);
  histogram.record(Duration(-5));  // clocks that disagree
  CHECK(histogram.quantile(1).count() == 0);
  histogram.record(Duration::max());
  CHECK(histogram.quantile(1) == Duration::max());
  CHECK(histogram.quantile(0.5).count() == 0);
  CHECK(histogram.count() == 2);
}

TEST_CASE("neighbouring buckets leave no gap and do not overlap") {
  // The quantile of one value alone is that value, whichever bucket it is in: max() bounds it.
  // With a larger one behind it, it is the upper end of its bucket.
  std::int64_t last_end = -1;
  for (std::int64_t value = 0; value < 5000; ++value) {
    load::Histogram histogram;
    histogram.record(Duration(value));
    histogram.record(Duration(1000000));
    const std::int64_t end = histogram.quantile(0.5).count();
    REQUIRE(end >= value);
    REQUIRE((end == last_end || value == last_end + 1));
    last_end = end;
  }
}

TEST_CASE("the generator is splitmix64") {
  // The first numbers for seed 1234567 of the reference implementation (Vigna, public domain).
  load::SplitMix64 random(1234567);
  for (const std::uint64_t expected :
       {6457827717110365317u, 3203168211198807973u, 9817491932198370423u, 4593380528125082431u})
    CHECK(random.next() == expected);
}

TEST_CASE("a block tells its LBA, its run and its generation where they belong") {
  const Bytes block = block_of({0x0102030405060708, 0x1112131415161718, 0x21222324});
  const Bytes head{1,    2,    3,    4,    5,    6,    7,    8,    0x11, 0x12, 0x13, 0x14,
                   0x15, 0x16, 0x17, 0x18, 0x21, 0x22, 0x23, 0x24, 0,    0,    0,    0};
  CHECK(Bytes(block.begin(), block.begin() + 24) == head);
  for (const std::size_t bytes : {512u, 520u, 4096u}) {
    const Stamp stamp{99, 5, 7};
    const auto found = load::read_block(block_of(stamp, bytes), 99);
    REQUIRE(found);
    CHECK(*found == stamp);
  }
  // Two blocks that differ in one of the three have next to nothing in common.
  const Bytes one = block_of({1, 2, 3});
  for (const Stamp& other : {Stamp{2, 2, 3}, Stamp{1, 3, 3}, Stamp{1, 2, 4}}) {
    const Bytes another = block_of(other);
    const auto equal = std::inner_product(one.begin() + 24, one.end(), another.begin() + 24, 0,
                                          std::plus<>(), std::equal_to<>());
    CHECK(equal < 20);
  }
}

TEST_CASE("every damaged byte of a block is seen") {
  const Stamp stamp{7, 0xabcdef, 2};
  const Bytes good = block_of(stamp);
  for (std::size_t at = 0; at < good.size(); ++at) {
    Bytes bad = good;
    bad[at] ^= 0x10;
    const auto found = load::read_block(bad, 7);
    INFO(at);
    REQUIRE_FALSE(found);
    // What tells run and generation says which bytes follow: then the first of those is wrong.
    const bool of_stamp = at >= 8 && at < 20;
    CHECK((of_stamp ? found.error() >= 24 : found.error() == at));
  }
  CHECK(load::read_block(good, 8).error() == 7);  // of another LBA
  CHECK_FALSE(load::read_block(Bytes(512, 0), 0));
}

TEST_CASE("random offsets reach every slot about equally often, and follow from the seed") {
  load::Offsets offsets(load::Order::random, 10, 3), same(load::Order::random, 10, 3),
      other(load::Order::random, 10, 4);
  std::array<int, 10> hits{};
  int different = 0;
  for (int i = 0; i < 10000; ++i) {
    const std::uint64_t slot = offsets.next();
    REQUIRE(slot < 10);
    ++hits[slot];
    REQUIRE(same.next() == slot);
    different += other.next() != slot ? 1 : 0;
  }
  for (const int each : hits)
    CHECK((each > 850 && each < 1150));
  CHECK(different > 8500);
}

TEST_CASE("sequential offsets go round from where they start; sessions share the area evenly") {
  load::Offsets offsets(load::Order::sequential, 4, 1, 2);
  std::vector<std::uint64_t> seen;
  for (int i = 0; i < 6; ++i)
    seen.push_back(offsets.next());
  CHECK(seen == std::vector<std::uint64_t>{2, 3, 0, 1, 2, 3});
  CHECK(load::first_slot(10, 0, 4) == 0);
  CHECK(load::first_slot(10, 1, 4) == 2);
  CHECK(load::first_slot(10, 3, 4) == 7);
  const std::uint64_t many = UINT64_MAX / 8;  // no overflow
  CHECK(load::first_slot(many, 4095, 4096) == many / 4096 * 4095 + many % 4096 * 4095 / 4096);
}

TEST_CASE("a mix reads the percentage that was asked for") {
  load::Offsets offsets(load::Order::random, 1, 1);
  for (const unsigned percent : {0u, 30u, 70u, 100u}) {
    int reads = 0;
    for (int i = 0; i < 10000; ++i)
      reads += offsets.reads(percent) ? 1 : 0;
    CHECK(std::abs(reads - static_cast<int>(percent) * 100) <= (percent % 100 == 0 ? 0 : 250));
  }
}

TEST_CASE("a read may see the last acknowledged write and those under way, nothing else") {
  load::Generations generations(3, false);
  CHECK(generations.possible(0, generations.floor(0), false, 9));       // what was there before
  CHECK_FALSE(generations.possible(0, generations.floor(0), true, 1));  // never written by us
  CHECK(generations.start(0) == 1);
  CHECK(generations.writing(0));
  CHECK_FALSE(generations.writing(1));
  const auto during = generations.floor(0);
  CHECK(generations.possible(0, during, false, 9));
  CHECK(generations.possible(0, during, true, 1));
  CHECK_FALSE(generations.possible(0, during, true, 0));
  generations.finish(0);
  const auto after = generations.floor(0);
  CHECK_FALSE(generations.possible(0, after, false, 9));  // a lost write
  CHECK(generations.possible(0, after, true, 1));
  CHECK(generations.start(0) == 2);
  CHECK(generations.possible(0, after, true, 1));
  CHECK(generations.possible(0, after, true, 2));
  generations.finish(0);
  CHECK_FALSE(generations.possible(0, generations.floor(0), true, 1));  // a stale one
  CHECK_FALSE(generations.possible(0, generations.floor(0), true, 3));

  load::Generations filled(1, true);
  CHECK(filled.floor(0) == 1);
  CHECK_FALSE(filled.possible(0, 1, false, 1));
  CHECK(filled.start(0) == 2);
}

TEST_CASE("an area is whole slots of what the unit has") {
  load::Settings settings;
  settings.block = base::ByteCount(4096);
  const load::Unit unit{base::BlockLength{512}, base::BlockCount(2055)};
  const auto area = load::area_of(settings, unit);
  REQUIRE(area);
  CHECK(area->slots == 256);
  CHECK(area->range_of(3) == base::BlockRange{base::Lba(24), base::BlockCount(8)});
  settings.area = base::ByteCount(1 << 16);
  CHECK(load::area_of(settings, unit)->slots == 16);
  settings.area = base::ByteCount(1ull << 40);  // more than there is
  CHECK(load::area_of(settings, unit)->slots == 256);
  settings.block = base::ByteCount(1024);
  CHECK_FALSE(load::area_of(settings, {base::BlockLength{4096}, base::BlockCount(100)}));
  settings.block = base::ByteCount(1 << 20);
  CHECK_FALSE(load::area_of(settings, {base::BlockLength{512}, base::BlockCount(100)}));
}

TEST_CASE("what is read is compared with what was written, and the first trouble is told") {
  load::Settings settings;
  settings.verify = true;
  const load::Area area{4, 2, base::BlockLength{512}};
  load::Work work(settings, area, 77, true);
  Bytes data(1024);
  work.stamp(3, 1, data);
  CHECK(data == [] {
    Bytes both = block_of({6, 77, 1});
    const Bytes second = block_of({7, 77, 1});
    both.insert(both.end(), second.begin(), second.end());
    return both;
  }());
  work.check(3, work.generations.floor(3), data);
  CHECK(work.trouble.empty());
  SECTION("a wrong byte") {
    data[512 + 100] ^= 1;
    work.check(3, 1, data);
    CHECK(work.trouble == "LBA 7: byte 100 is not what was written");
    CHECK(work.stopped);
    CHECK_FALSE(work.take_turn());
    work.fail("something later");
    CHECK(work.trouble == "LBA 7: byte 100 is not what was written");
  }
  SECTION("a stale write") {
    work.generations.start(3);
    work.generations.finish(3);
    work.check(3, 2, data);
    CHECK(work.trouble == "LBA 6: holds write 1 of this run, but write 2 was acknowledged before");
  }
}

TEST_CASE("as many commands start as were asked for") {
  load::Settings settings;
  settings.operations = 2;
  load::Work work(settings, {4, 8, base::BlockLength{512}}, 1, false);
  CHECK(work.take_turn());
  CHECK_FALSE(work.all_started());
  CHECK(work.take_turn());
  CHECK(work.all_started());
  CHECK_FALSE(work.take_turn());
}

TEST_CASE("a report tells rates, latencies and what a million operations cost the target") {
  load::Settings settings;
  settings.block = base::ByteCount(8192);
  load::Measurement measured;
  measured.reads = 300000;
  measured.writes = 100000;
  measured.elapsed_seconds = 2;
  measured.target_cpu_seconds = 1.5;
  measured.latency.record(std::chrono::microseconds(40));
  const auto value = [&](const std::string& key) {
    const host::Rows rows = load::rows_of(settings, measured);
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [&](const host::Row& each) { return each.key == key; });
    REQUIRE(row != rows.end());
    return row->value;
  };
  CHECK(std::get<std::uint64_t>(value("operations")) == 400000);
  CHECK(std::get<double>(value("operations_per_second")) == Approx(200000));
  CHECK(std::get<double>(value("bytes_per_second")) == Approx(200000.0 * 8192));
  CHECK(std::get<double>(value("latency.p99_9_microseconds")) == Approx(40));
  CHECK(std::get<double>(value("cpu_seconds.target_per_million_operations")) == Approx(3.75));
  measured.target_cpu_seconds.reset();  // nobody asked for it
  CHECK(std::holds_alternative<std::monostate>(value("cpu_seconds.target")));
  measured.elapsed_seconds = 0;
  CHECK(std::get<double>(value("operations_per_second")) == 0);
}

TEST_CASE("CPU time is that of a process that is there") {
  const auto own = load::cpu_seconds_of(0), same = load::cpu_seconds_of(getpid());
  REQUIRE((own && same));
  CHECK(*own > 0);
  CHECK(*same >= *own);
  CHECK_FALSE(load::cpu_seconds_of(1 << 22));     // the most that there could be
  CHECK_FALSE(load::cpu_seconds_of(0x3fffffff));  // more than a clock's number can say
}
