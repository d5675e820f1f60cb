// Copy managers one after another on the same media, journal and clock: what tokens of the last one
// are worth to the next, after kill -9 and after a clean end.
#include <fstream>

#include <catch2/catch.hpp>

#include "copymgr/rod_record.hpp"
#include "store/side_files.hpp"
#include "tests/unit/copymgr/restart_world.hpp"

using namespace copymgr;
using namespace copymgr::test;
using tokens::TokenFault;

namespace {

constexpr std::uint64_t blocks = unit_blocks;

enum class End { kill, well };

void end(Machine& machine, End how) {
  if (how == End::kill) {
    machine.kill();
  } else {
    machine.end_well();
  }
}

}  // namespace

TEST_CASE("after a restart a token writes what its ranges held when it was made") {
  const End how = GENERATE(End::kill, End::well);
  Machine machine;
  machine.process->fill(1, 0, blocks, 0x11);
  const auto whole = machine.process->populate(1, {range(0, blocks)});
  machine.process->fill(1, 10, 20, 0x22);
  const auto some = machine.process->populate(1, {range(15, 10), range(100, 3)});
  machine.process->fill(1, 0, 101, 0x33);
  for (int i = 0; i < 3; ++i) {
    end(machine, how);
    machine.start();
    machine.process->fill(1, static_cast<std::uint64_t>(80 + 30 * i), 40, 0x44);
    REQUIRE(is_good(machine.process->write(2, whole, 0, blocks), blocks));
    CHECK(machine.process->read(2, 0, blocks) == Bytes(blocks * block_length.bytes, 0x11));
    REQUIRE(is_good(machine.process->write(2, some, 0, 13), 13));
    CHECK(machine.process->read(2, 0, 10) == Bytes(10 * block_length.bytes, 0x22));
    CHECK(machine.process->read(2, 10, 3) == Bytes(3 * block_length.bytes, 0x11));
    CHECK(machine.process->manager.token_counters().restored == 2);
  }
}

TEST_CASE("a token that has ended stays so, and is told why") {
  const End how = GENERATE(End::kill, End::well);
  Machine machine;
  Process& first = *machine.process;
  const auto expired = first.populate(1, {range(0, 8)}, 10);
  machine.clock.advance(10s);
  const auto deleted = first.populate(1, {range(0, 8)});
  REQUIRE(is_good(first.write(2, deleted, 0, 8, true), 8));
  const auto revoked = first.populate(1, {range(0, 8)});
  REQUIRE(first.manager.token_table().revoke(scsi::identifier_of(revoked)));
  const auto cancelled = first.populate(1, {range(250, 6)});
  REQUIRE(first.guards[1]->resize(base::ByteCount(255 * block_length.bytes)));
  REQUIRE(first.guards[1]->resize(base::ByteCount(blocks * block_length.bytes)));
  for (int i = 0; i < 2; ++i) {
    CHECK(is_token_fault(machine.process->write(2, expired, 0, 8), TokenFault::expired));
    CHECK(is_token_fault(machine.process->write(2, deleted, 0, 8), TokenFault::deleted));
    CHECK(is_token_fault(machine.process->write(2, revoked, 0, 8), TokenFault::revoked));
    CHECK(is_token_fault(machine.process->write(2, cancelled, 0, 6), TokenFault::cancelled));
    end(machine, how);
    machine.start();
    CHECK(machine.process->guards[1]->counters().side_bytes_in_use.value == 0);
  }
}

TEST_CASE("an end that was not kept does not bring the token back: its snapshot has gone") {
  Machine machine;
  machine.process->fill(1, 0, 8, 0x11);
  const auto token = machine.process->populate(1, {range(0, 8)});
  machine.process->fill(1, 0, 8, 0x22);
  machine.journal.works = false;
  REQUIRE(is_good(machine.process->write(2, token, 0, 8, true), 8));
  machine.kill();
  machine.journal.works = true;
  machine.start();
  CHECK(is_token_fault(machine.process->write(2, token, 0, 8), TokenFault::cancelled));
}

TEST_CASE("a token that cannot be kept is none, and POPULATE TOKEN says so") {
  Machine machine;
  machine.journal.works = false;
  const auto token = machine.process->populate(1, {range(0, 8)});
  CHECK(is_fault(machine.process->populated, CopyFault::Kind::token_not_kept, 0));
  CHECK(token == scsi::RodTokenBytes{});
  CHECK(machine.process->manager.token_counters().live == 0);
  CHECK(machine.process->guards[1]->counters().snapshots_live == 0);
}

TEST_CASE("tokens of an EXTENDED COPY's RODs are kept, however many segments put their blocks in") {
  const End how = GENERATE(End::kill, End::well);
  Machine machine;
  Process& first = *machine.process;
  first.fill(1, 0, 8, 0x11);
  std::vector<PlannedSegment> segments;
  for (const auto& [rod, lba] : {std::pair{0u, 0u}, {1u, 0u}, {1u, 4u}}) {
    SegmentMove put;
    put.source_volume = put.destination_volume = 1;
    put.populates = rod;
    put.ranges = {range(lba, 4)};
    segments.push_back(put);
  }
  const auto copy = [&](std::optional<CopyOutcome>& outcome) {
    std::vector<RodRequest> rods(2);
    rods[0].wants_token = rods[1].wants_token = true;
    machine.process->manager.extended_copy(
        key(1),
        {0x01, scsi::ListIdUsage::hold, {false, nullptr, nullptr}, segments, std::move(rods)},
        [&outcome](CopyOutcome ended) { outcome = ended; });
    return machine.process->manager.report(key(1)).value().rod_cscd_tokens;
  };
  std::optional<CopyOutcome> good, bad;
  const auto made = copy(good);
  CHECK(is_good(good, 0));
  REQUIRE(made.size() == 2);
  first.fill(1, 4, 4, 0x22);
  REQUIRE(is_good(first.write(2, made[1].token, 0, 8), 8));
  end(machine, how);
  machine.start();
  REQUIRE(is_good(machine.process->write(2, made[0].token, 100, 4), 4));
  CHECK(machine.process->read(2, 100, 4) == Bytes(4 * block_length.bytes, 0x11));
  machine.process->fill(1, 0, 4, 0x33);
  machine.process->fill(2, 0, 8, 0x44);
  REQUIRE(is_good(machine.process->write(2, made[1].token, 0, 8), 8));
  CHECK(machine.process->read(2, 0, 8) == Bytes(8 * block_length.bytes, 0x11));
  // What cannot be kept is not told of.
  machine.journal.works = false;
  const std::uint64_t live = machine.process->manager.token_counters().live;
  CHECK(copy(bad).empty());
  CHECK(is_fault(bad, CopyFault::Kind::token_not_kept, 0));
  CHECK(machine.process->manager.token_counters().live == live);
}

TEST_CASE("nothing is acknowledged before it is kept") {
  Machine machine;
  Process& process = *machine.process;
  machine.journal.answers = false;
  CHECK(process.populate(1, {range(0, 8)}) == scsi::RodTokenBytes{});
  CHECK_FALSE(process.populated);
  machine.journal.answer();
  REQUIRE(is_good(process.populated, 8));
  const auto token = *process.manager.report(key(1, 0x9000))->token;
  // A plain use needs no waiting, an end does.
  CHECK(is_good(process.write(2, token, 0, 8), 8));
  CHECK_FALSE(process.write(2, token, 0, 8, true));
  CHECK(process.manager.running(key(2)));
  machine.journal.answer();
  CHECK(is_good(process.written, 8));
  machine.journal.answers = true;
}

TEST_CASE("result records end with the process") {
  Machine machine;
  REQUIRE(machine.process->populate(1, {range(0, 8)}) != scsi::RodTokenBytes{});
  machine.end_well();
  machine.start();
  CHECK_FALSE(machine.process->manager.report(key(1, 0x9000)));
}

TEST_CASE("tokens of memory, and of a unit that is not there any more, are cancelled") {
  const End how = GENERATE(End::kill, End::well);
  Machine machine;
  const auto of_memory = machine.process->populate(3, {range(0, 8)});
  const auto of_file = machine.process->populate(1, {range(0, 8)});
  end(machine, how);
  machine.start({"2", "3"});
  CHECK(is_token_fault(machine.process->write(2, of_memory, 0, 8), TokenFault::cancelled));
  CHECK(is_token_fault(machine.process->write(2, of_file, 0, 8), TokenFault::cancelled));
  // For good, also when the unit comes back.
  machine.end_well();
  machine.start();
  CHECK(is_token_fault(machine.process->write(2, of_file, 0, 8), TokenFault::cancelled));
  CHECK(machine.process->guards[1]->counters().snapshots_live == 0);
}

TEST_CASE("a file that was changed while nothing ran has no points in time") {
  Machine machine;
  const auto token = machine.process->populate(1, {range(0, 8)});
  SECTION("written to, after a clean end") {
    machine.end_well();
    std::fstream(machine.folder.path("1"), std::ios::in | std::ios::out) << "x";
  }
  SECTION("another one, after a kill") {
    machine.kill();
    const Bytes bytes = Machine::slurp(machine.folder.path("1"));
    std::filesystem::rename(machine.folder.path("1"), machine.folder.path("old"));
    std::ofstream(machine.folder.path("1"), std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  SECTION("cut off") {
    machine.kill();
    std::filesystem::resize_file(machine.folder.path("1"), 3 * block_length.bytes);
    std::filesystem::resize_file(machine.folder.path("1"), blocks * block_length.bytes);
    // What is left is what the unit might have made of it: this alone cannot be known.
    std::filesystem::remove(machine.folder.path("1.side"));
  }
  machine.start();
  CHECK(is_token_fault(machine.process->write(2, token, 0, 8), TokenFault::cancelled));
}

TEST_CASE("a damaged journal or side file cancels tokens, and everything works on") {
  Machine machine;
  const auto token = machine.process->populate(1, {range(0, 64)});
  machine.process->fill(1, 0, 64, 0x55);
  machine.kill();
  const std::string side = machine.folder.path("1.side"), journal = side + "-journal";
  const auto damage = [](const std::string& path, std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file << "damaged";
  };
  const auto slots_at = static_cast<std::streamoff>(4096 + (1u << 18) * 32);
  SECTION("header") {
    damage(journal, 40);
  }
  SECTION("entry of a snapshot") {
    damage(journal, 4096 + 2);
  }
  SECTION("entry of a slot") {
    damage(journal, slots_at + 5);
  }
  SECTION("journal cut off") {
    std::filesystem::resize_file(journal, 100);
  }
  SECTION("journal empty") {
    std::filesystem::resize_file(journal, 0);
  }
  SECTION("no journal") {
    std::filesystem::remove(journal);
  }
  SECTION("side file cut off") {
    std::filesystem::resize_file(side, 4096);
  }
  SECTION("no side file") {
    std::filesystem::remove(side);
  }
  machine.start();
  CHECK(is_token_fault(machine.process->write(2, token, 0, 64), TokenFault::cancelled));
  const auto next = machine.process->populate(1, {range(0, 64)});
  machine.process->fill(1, 0, 64, 0x66);
  machine.kill();
  machine.start();
  REQUIRE(is_good(machine.process->write(2, next, 0, 64), 64));
  CHECK(machine.process->read(2, 0, 64) == Bytes(64 * block_length.bytes, 0x55));
}

TEST_CASE("files of saved chunks are there while they are needed") {
  Machine machine;
  const std::string side = machine.folder.path("1.side"), journal = side + "-journal";
  CHECK(std::filesystem::exists(journal));
  machine.end_well();
  CHECK_FALSE(std::filesystem::exists(side));
  CHECK_FALSE(std::filesystem::exists(journal));
  machine.start();
  REQUIRE(machine.process->populate(1, {range(0, 8)}) != scsi::RodTokenBytes{});
  machine.end_well();
  CHECK(std::filesystem::exists(journal));
  // In use they are left alone.
  machine.start();
  store::remove_side_files(side);
  CHECK(std::filesystem::exists(journal));
  machine.end_well();
  store::remove_side_files(side);
  CHECK_FALSE(std::filesystem::exists(side));
  CHECK_FALSE(std::filesystem::exists(journal));
}

TEST_CASE("a machine that was started anew: trusted after a clean end only") {
  const ::test::TempDir folder;
  const auto options = [&folder](const std::string& boot) {
    return store::SideFileOptions{.path = folder.path("side"),
                                  .keeping = {"unit", 1},
                                  .data_path = folder.path("data"),
                                  .chunk_bytes = 4096,
                                  .size = base::ByteCount(1 << 16),
                                  .boot = boot};
  };
  ::test::make_file(folder.path("data"), 4096);
  const bool ends_well = GENERATE(true, false);
  {
    auto files = store::open_side_files(options("first"));
    REQUIRE(files);
    (void)files->journal->end_restore();
    REQUIRE(files->journal->begin_snapshot());
    if (ends_well) files->journal->keep();
  }
  const bool unknown = GENERATE(true, false);
  const auto files = store::open_side_files(options(unknown ? "" : "second"));
  REQUIRE(files);
  CHECK(files->journal->found().snapshots.size() == (ends_well ? 1 : 0));
}

// Nobody waits for the medium when the files are new: the entries may be there without the header.
TEST_CASE("new files whose header never reached the medium hold no point in time") {
  const ::test::TempDir folder;
  const store::SideFileOptions options{.path = folder.path("side"),
                                       .keeping = {"unit", 1},
                                       .data_path = folder.path("data"),
                                       .chunk_bytes = 4096,
                                       .size = base::ByteCount(1 << 16),
                                       .boot = "first"};
  ::test::make_file(folder.path("data"), 4096);
  {
    auto files = store::open_side_files(options);
    REQUIRE(files);
    (void)files->journal->end_restore();
    REQUIRE(files->journal->begin_snapshot());
  }
  {
    std::fstream journal(options.path + "-journal",
                         std::ios::in | std::ios::out | std::ios::binary);
    journal << std::string(store::SideJournal::header_bytes, '\0');
    REQUIRE(journal.flush());
  }
  store::SideFileOptions next = options;
  next.boot = "second";
  {
    auto files = store::open_side_files(next);
    REQUIRE(files);
    CHECK(files->journal->found().snapshots.empty());
    (void)files->journal->end_restore();
    REQUIRE(files->journal->begin_snapshot());
    files->journal->keep();
  }
  const auto files = store::open_side_files(next);
  REQUIRE(files);
  CHECK(files->journal->found().snapshots.size() == 1);
}

TEST_CASE("the record of a ROD is read as it was written, and nothing else is one") {
  RodRecord record{base::BlockLength{4096},
                   {range(1, 2), range(~std::uint64_t{0}, 1)},
                   {{0x0123456789abcdef, 2}},
                   "iqn.host",
                   "iqn.target"};
  const bool several = GENERATE(false, true);
  if (several) record.parts = {{0x0123456789abcdef, 1}, {7, 0}, {~std::uint64_t{0}, 1}};
  const auto bytes = encode(record);
  CHECK(decode_rod_record(bytes) == record);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    CHECK_FALSE(decode_rod_record(base::ByteView(bytes).first(length)));
  auto longer = bytes;
  longer.push_back(0);
  CHECK_FALSE(decode_rod_record(longer));
  auto other = bytes;
  other[0] = 3;
  CHECK_FALSE(decode_rod_record(other));
  other[0] = several ? 1 : 2;
  CHECK_FALSE(decode_rod_record(other));
  if (!several) return;
  record.parts.back().range_count = 2;  // of a range that is not there
  CHECK_FALSE(decode_rod_record(encode(record)));
}
