// Random histories of copy managers across kill -9, clean ends and all else that befalls a token,
// against a model that keeps every token's bytes in full. After each step all units hold what the
// model says, each living token writes what it stood for when it was made (or stands for now, where
// that is its type), and one dead token tells why it died. A failure names its seed; COPYMGR_SEED
// runs that one alone.
#include <cstdlib>

#include <catch2/catch.hpp>

#include "store/open.hpp"
#include "tests/support/mounted_xfs.hpp"
#include "tests/support/sanitized.hpp"
#include "tests/unit/copymgr/restart_world.hpp"
#include "tests/unit/copymgr/token_model.hpp"

using namespace copymgr;
using namespace copymgr::test;
using Kind = CopyFault::Kind;

namespace {

constexpr std::uint64_t blocks_at_first = 64, blocks_max = 96;
constexpr std::uint64_t memory_unit = 3, scratch_unit = 4;  // both are memory

// What all histories together have met.
struct Met {
  CopyCounters moved;
  std::map<RodType, int> used;
  std::map<TokenFault, int> died;
  int restarts = 0, kills_in_copies = 0, lost_for_room = 0, stopped = 0;
};

Shape shape_of(unsigned seed, const std::string& parent) {
  Shape shape;
  shape.parent = parent;
  shape.blocks = blocks_at_first;
  shape.units = {"1", "2", "3", "4"};
  if (seed % 4 == 0) shape.side_bytes_max = base::ByteCount(4 * 4096);
  shape.limits.rod_types.insert(RodType::access_upon_reference);
  const std::uint64_t step_blocks = seed % 2 == 0 ? 2 : 8;
  shape.settings.step_bytes = base::ByteCount(step_blocks * block_bytes);
  shape.settings.cheap_step_bytes = shape.settings.step_bytes;
  shape.settings.slice = base::Duration(0);  // so that something can come between two steps
  return shape;
}

// Before the model, which reads its clock.
struct OneMachine {
  Machine machine_;
};

class History : private OneMachine, private TokenModel {
 public:
  History(unsigned seed, const std::string& parent, Met& met)
      : OneMachine{Machine(shape_of(seed, parent))},
        TokenModel(machine_.clock),
        random_(seed),
        met_(met) {
    for (std::uint64_t unit = 1; unit <= memory_unit; ++unit) {
      data(unit) = Bytes(blocks_at_first * block_bytes);
      write(unit, range(0, blocks_at_first));
    }
  }

  // Empty when all was as the model says.
  std::string run(int steps) {
    for (int i = 0; i < steps && what_is_wrong().empty(); ++i) {
      step();
      check_units();
      check_tokens();
    }
    note_moves();
    for (const auto& [reason, count] : deaths())
      met_.died[reason] += count;
    return what_is_wrong();
  }

 private:
  CopyManager& manager() { return machine_.process->manager; }
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  // There is little room for old data.
  bool is_tight() const { return machine_.shape.side_bytes_max.value < blocks_max * block_bytes; }
  std::uint64_t any_unit() { return 1 + below(memory_unit); }

  void step() {
    switch (below(16)) {
      case 0:
      case 1:
      case 2:
        return host_write();
      case 3:
        return unmap();
      case 4:
      case 5:
      case 6:
        return populate();
      case 7:
      case 8:
      case 9:
        return write_using_token();
      case 10:
        return extended_copy();
      case 11:
        return revoke();
      case 12:
        return pass_time();
      case 13:
        return resize();
      case 14:
        return disturb();
      case 15:
        return restart(below(2) == 0);
    }
  }

  // ---- what hosts do

  // Up to four ranges that do not overlap, in any order; half of them such that file systems can
  // share their blocks.
  Blocks ranges(std::uint64_t unit, std::uint64_t at_most) {
    const bool aligned = below(2) == 0;
    Blocks out;
    std::uint64_t lba = aligned ? 8 * below(2) : below(6), left = at_most;
    for (std::uint64_t n = 1 + below(4); n > 0 && lba < capacity(unit) && left > 0; --n) {
      const std::uint64_t wish = aligned ? 8 * (1 + below(3)) : 1 + below(9);
      const std::uint64_t count = std::min({wish, capacity(unit) - lba, left});
      out.push_back(range(lba, count));
      left -= count;
      lba += count + (aligned ? 8 * below(2) : below(4));
    }
    std::shuffle(out.begin(), out.end(), random_);
    return out;
  }
  base::BlockRange any_range(std::uint64_t unit) {
    const std::uint64_t lba = below(capacity(unit));
    return range(lba, 1 + below(std::min<std::uint64_t>(capacity(unit) - lba, 24)));
  }

  void write(std::uint64_t unit, const base::BlockRange& at) {
    Bytes bytes(at.count.value * block_bytes);
    for (std::uint8_t& byte : bytes)
      byte = static_cast<std::uint8_t>(random_());
    if (!guard(unit).write(block_length.to_offset(at.first), bytes, store::Durability::cached)) {
      return wrong("a host's write failed");
    }
    set(unit, at.first.value, bytes.data(), at.count.value);
    tell("unit {} is written at{}", unit, name({at}));
    overwritten(unit, at);
  }
  void host_write() {
    const std::uint64_t unit = any_unit();
    write(unit, any_range(unit));
  }
  void unmap() {
    const std::uint64_t unit = any_unit();
    const base::BlockRange at = any_range(unit);
    if (!guard(unit).write_zeros(base::to_extent(at, block_length))) wrong("UNMAP failed");
    const Bytes zeros(at.count.value * block_bytes);
    set(unit, at.first.value, zeros.data(), at.count.value);
    tell("unit {} is unmapped at{}", unit, name({at}));
    overwritten(unit, at);
  }

  void populate() {
    constexpr std::array<std::optional<RodType>, 6> wishes{std::nullopt,
                                                           RodType::point_in_time_any,
                                                           RodType::point_in_time_default,
                                                           RodType::point_in_time_persistent,
                                                           RodType::point_in_time_change_vulnerable,
                                                           RodType::access_upon_reference};
    ModelToken made;
    const auto wish = wishes[below(wishes.size())];
    made.type = !wish                                 ? RodType::point_in_time_default
                : *wish == RodType::point_in_time_any ? RodType::point_in_time_persistent
                                                      : *wish;
    made.unit = any_unit();
    made.ranges = ranges(made.unit, blocks_max);
    made.bytes = gathered(made.unit, made.ranges);
    const auto seconds = static_cast<std::uint32_t>(1 + below(9));
    made.timeout = std::chrono::seconds(seconds);
    made.deadline = now() + made.timeout;
    made.may_be_lost = is_tight() && (made.type == RodType::point_in_time_default ||
                                      made.type == RodType::point_in_time_persistent);
    std::optional<CopyOutcome> outcome;
    manager().populate_token(key(made.unit, 0x9000), {seconds, wish, made.ranges},
                             [&outcome](CopyOutcome ended) { outcome = ended; });
    const auto report = manager().report(key(made.unit, 0x9000));
    if (!is_good(outcome, made.bytes.size() / block_bytes) || !report || !report->token) {
      return wrong("POPULATE TOKEN failed");
    }
    made.token = *report->token;
    if (scsi::rod_type_of(made.token) != made.type) wrong("a token of another type");
    tokens_.push_back(std::move(made));
    tell("token {} of type {:08x} for{} of unit {}, {} s", tokens_.size() - 1,
         static_cast<std::uint32_t>(tokens_.back().type), name(tokens_.back().ranges),
         tokens_.back().unit, seconds);
  }

  void write_zero_token() {
    const std::uint64_t unit = any_unit();
    const Blocks to = ranges(unit, blocks_max);
    tell("zeros are written to{} of unit {}", name(to), unit);
    const auto outcome = use(scsi::block_device_zero_token(), unit, to, 0, false, false);
    if (!outcome || !*outcome) return wrong("the zero token failed: " + name(outcome));
    apply(unit, to, (*outcome)->value, Bytes((*outcome)->value * block_bytes));
  }

  void write_using_token() {
    if (tokens_.empty() || below(10) == 0) return write_zero_token();
    ModelToken& token = tokens_[below(tokens_.size())];
    const std::uint64_t have = token.bytes.size() / block_bytes, offset = below(have + 2);
    const std::uint64_t unit = any_unit();
    const Blocks to = ranges(unit, below(4) == 0 ? blocks_max : have - std::min(have, offset));
    if (to.empty()) return;
    const bool delete_token = below(8) == 0, in_background = below(4) == 0;
    kill_if_late(token);
    const Bytes bytes = stands_for(token);
    tell("token {} is written from block {} to{} of unit {}{}{}", number_of(token), offset,
         name(to), unit, delete_token ? ", deleted" : "", in_background ? ", in background" : "");
    const bool kill_between = interrupt(unit, to);
    const auto outcome = use(token.token, unit, to, offset, delete_token, in_background);
    machine_.pool.before_each = nullptr;
    if (!outcome) return cut_off(kill_between, unit, to, from(bytes, offset));
    if (!token.dead) token.deadline = now() + token.timeout;
    judge(token, unit, to, offset, bytes, *outcome);
    if (*outcome && delete_token) kill(token, TokenFault::deleted);
  }

  void extended_copy() {
    const std::uint64_t source = any_unit(), unit = any_unit();
    const std::uint64_t count = 1 + below(std::min(capacity(source), capacity(unit)));
    const std::uint64_t first = below(capacity(source) - count + 1);
    const std::uint64_t to = below(capacity(unit) - count + 1);
    const Bytes bytes = gathered(source, {range(first, count)});
    const Blocks into{range(to, count)};
    tell("unit {} at {}+{} is copied to unit {} at {}", source, first, count, unit, to);
    const bool kill_between = interrupt(unit, into);
    std::optional<CopyOutcome> outcome;
    manager().extended_copy(
        key(unit, 1),
        {0x00, scsi::ListIdUsage::hold, {}, {segment(source, first, unit, to, count)}},
        [&outcome](CopyOutcome ended) { outcome = ended; });
    machine_.pool.before_each = nullptr;
    if (!outcome) return cut_off(kill_between, unit, into, bytes);
    if (*outcome) {
      set(unit, to, bytes.data(), count);
      return overwritten(unit, into.front());
    }
    ++met_.stopped;
    // Upon its own source it needs room for what it overwrites.
    const CopyFault& fault = outcome->error();
    const bool has_no_room = is_tight() && source == unit && fault.segment &&
                             fault.segment->kind == SegmentFault::Kind::read_failed;
    if (fault.kind != Kind::aborted && !has_no_room)
      wrong("EXTENDED COPY failed: " + name(outcome));
    take_over(unit, into, bytes);
  }

  // ---- what befalls tokens and units

  void pass_time() {
    const auto seconds = below(6);
    tell("{} s pass", seconds);
    machine_.clock.advance(base::Duration(1s) * seconds);
    manager().expire();
  }
  void revoke() {
    if (tokens_.empty()) return;
    ModelToken& token = tokens_[below(tokens_.size())];
    kill_if_late(token);
    const bool revoked = manager().token_table().revoke(scsi::identifier_of(token.token));
    if (revoked && token.dead) wrong("a dead token was revoked");
    if (!revoked && !token.dead && !token.may_be_lost && !token.unsure) {
      wrong("a living token was not revoked");
    }
    if (revoked) kill(token, TokenFault::revoked);
  }

  void resize() {
    const std::uint64_t unit = any_unit(), wish = 16 + below(blocks_max - 15);
    const base::ByteCount size(wish * block_bytes);
    Volume& volume = machine_.process->volumes[unit];
    if (!guard(unit).resize(size)) return wrong("a resize failed");
    volume.capacity = base::BlockCount(wish);
    manager().resized(volume);
    machine_.sizes[std::to_string(unit)].push_back(size);
    data(unit).resize(wish * block_bytes);
    tell("unit {} has {} blocks", unit, wish);
    cancel_those([unit, wish](const ModelToken& token) {
      return token.unit == unit &&
             std::any_of(token.ranges.begin(), token.ranges.end(), [wish](const auto& each) {
               return each.first.value + each.count.value > wish;
             });
    });
  }

  void disturb() {
    const std::uint64_t unit = any_unit(), how = below(4);
    tell("unit {} is disturbed: {}", unit, how);
    switch (how) {
      case 0:
        return manager().volume_reset(unit);
      case 1:
        return manager().nexus_lost(initiator_session);
      case 2:
        manager().medium_removed(unit);
        break;
      case 3:
        manager().detach(unit);
        break;
    }
    manager().attach(machine_.process->volumes[unit]);
    cancel_those([unit](const ModelToken& token) { return token.unit == unit; });
  }

  void restart(bool well) {
    tell(well ? "a clean end" : "kill -9");
    note_moves();
    if (well) {
      machine_.end_well();
    } else {
      machine_.kill();
    }
    machine_.clock.advance(base::Duration(1s) * below(3));
    machine_.start();
    ++met_.restarts;
    data(memory_unit) = Bytes(blocks_at_first * block_bytes);
    cancel_those([](const ModelToken& token) {
      return token.unit == memory_unit || token.type == RodType::access_upon_reference ||
             token.type == RodType::point_in_time_change_vulnerable;
    });
  }

  // Now and then something comes before the nth step. True: kill -9, so there will be no outcome.
  bool interrupt(std::uint64_t unit, const Blocks& to) {
    const std::uint64_t what = below(8);
    if (what > 2) return false;
    tell("before the nth step: {}", what == 0 ? "4 s pass" : what == 1 ? "abort" : "kill -9");
    if (what == 0) {  // What the copy overwrites may die before or after that.
      for (const base::BlockRange& each : to)
        doubt(unit, each);
    }
    machine_.pool.before_each = [this, unit, what, left = 1 + below(8)]() mutable {
      if (--left != 0) return;
      if (what == 0) machine_.clock.advance(4s);
      if (what == 1) manager().abort(key(unit), [] {});
      if (what == 2) machine_.pool.stand_still();
    };
    return what == 2;
  }

  // ---- what the model makes of it

  void cut_off(bool kill_between, std::uint64_t unit, const Blocks& to, const Bytes& bytes) {
    if (!kill_between) return wrong("an operation did not end");
    ++met_.kills_in_copies;
    restart(false);
    if (unit != memory_unit) take_over(unit, to, bytes);
  }
  // Each block that was to be written may have been.
  void take_over(std::uint64_t unit, const Blocks& to, const Bytes& bytes) {
    std::uint64_t n = 0;
    for (const base::BlockRange& each : to) {
      doubt(unit, each);
      for (std::uint64_t i = 0; i < each.count.value && n < bytes.size() / block_bytes; ++i, ++n)
        take_over_block(unit, each.first.value + i, &bytes[n * block_bytes]);
    }
  }
  void take_over_block(std::uint64_t unit, std::uint64_t lba, const std::uint8_t* bytes) {
    const Bytes there = machine_.process->read(unit, lba, 1);
    if (std::equal(there.begin(), there.end(), bytes)) set(unit, lba, bytes, 1);
  }

  void judge(ModelToken& token, std::uint64_t unit, const Blocks& to, std::uint64_t offset,
             const Bytes& bytes, const CopyOutcome& outcome) {
    const std::uint64_t have = token.bytes.size() / block_bytes;
    std::uint64_t asked = 0;
    for (const base::BlockRange& each : to)
      asked += each.count.value;
    if (token.dead) {
      if (!is_answer_of_dead(token, outcome))
        wrong(fmt::format("token {}, dead, was taken", number_of(token)));
      return;
    }
    if (is_token_fault(outcome, TokenFault::cancelled) && (token.may_be_lost || token.unsure)) {
      ++met_.lost_for_room;
      kill(token, TokenFault::cancelled);
      return apply(unit, to, 0, from(bytes, offset));  // it may have come to its first step
    }
    if (offset >= have || asked > have - offset) {
      const Kind expected = offset >= have ? Kind::offset_beyond_token : Kind::beyond_token;
      if (!is_fault(outcome, expected, 0)) wrong("it cannot fit, and was not refused");
      return;
    }
    const bool upon_itself = token.type == RodType::point_in_time_change_vulnerable &&
                             token.unit == unit && overlaps(to, token.ranges);
    if (upon_itself && outcome) wrong("a token outlived the write upon its own blocks");
    const std::uint64_t done = outcome ? outcome->value : outcome.error().blocks_done.value;
    if (outcome ? done != asked : done >= asked) wrong("a wrong count");
    met_.stopped += outcome ? 0 : 1;
    ++met_.used[token.type];
    if (!outcome && !upon_itself) check_stop(token, outcome.error());
    apply(unit, to, done, from(bytes, offset));
    if (upon_itself && !token.dead) {
      // Aborted before it came to its own blocks, or after.
      token.unsure = true;
    }
  }
  void check_stop(const ModelToken& token, const CopyFault& fault) {
    // Upon its own source, and without room to keep what it overwrites.
    const bool not_held = is_tight() && token.type == RodType::access_upon_reference &&
                          fault.kind == Kind::source_read_failed;
    if (fault.kind != Kind::aborted && fault.kind != Kind::stopped_early && !not_held) {
      wrong("WRITE USING TOKEN failed: " + name(CopyOutcome(base::fail(fault))));
    }
  }

  // `done` blocks are written; of those after them the step that did not end may have written some.
  void apply(std::uint64_t unit, const Blocks& to, std::uint64_t done, const Bytes& bytes) {
    const std::uint64_t in_doubt = machine_.shape.settings.step_bytes.value / block_bytes;
    std::uint64_t n = 0;
    for (const base::BlockRange& each : to) {
      for (std::uint64_t i = 0; i < each.count.value; ++i, ++n) {
        const std::uint64_t lba = each.first.value + i;
        if (n < done) {
          set(unit, lba, &bytes[n * block_bytes], 1);
          overwritten(unit, range(lba, 1));
        } else if (n < std::min(done + in_doubt, bytes.size() / block_bytes)) {
          take_over_block(unit, lba, &bytes[n * block_bytes]);
          doubt(unit, range(lba, 1));
        }
      }
    }
  }

  store::Guard& guard(std::uint64_t unit) { return *machine_.process->guards.at(unit); }

  std::optional<CopyOutcome> use(const scsi::RodTokenBytes& token, std::uint64_t unit,
                                 const Blocks& to, std::uint64_t offset, bool delete_token,
                                 bool in_background) {
    std::optional<CopyOutcome> outcome;
    manager().write_using_token(key(unit), {delete_token, base::BlockCount(offset), token, to},
                                [&outcome](CopyOutcome ended) { outcome = ended; }, {},
                                {in_background});
    return outcome;
  }

  void check_units() {
    for (std::uint64_t unit = 1; unit <= memory_unit; ++unit) {
      if (machine_.process->read(unit, 0, capacity(unit)) != data(unit)) {
        wrong("unit " + std::to_string(unit) + " differs");
      }
    }
  }

  void check_tokens() {
    for (ModelToken& token : tokens_) {
      kill_if_late(token);
      if (!token.dead || below(tokens_.size()) == 0) check_whole(token);
    }
    const auto c = manager().token_counters();
    if (c.created + c.restored !=
        c.live + c.expired + c.cancelled + c.revoked + c.deleted + c.evicted) {
      wrong("the counts do not add up");
    }
  }
  void check_whole(ModelToken& token) {
    const std::uint64_t have = token.bytes.size() / block_bytes;
    const auto outcome = use(token.token, scratch_unit, {range(0, std::min(have, blocks_at_first))},
                             0, false, false);
    if (token.dead) {
      if (!is_answer_of_dead(token, outcome))
        wrong(fmt::format("token {}, dead, was taken or told otherwise", number_of(token)));
      return;
    }
    if (is_token_fault(outcome, TokenFault::cancelled) && (token.may_be_lost || token.unsure)) {
      ++met_.lost_for_room;
      return kill(token, TokenFault::cancelled);
    }
    token.deadline = now() + token.timeout;
    Bytes expected = stands_for(token);
    expected.resize(std::min(have, blocks_at_first) * block_bytes);
    if (!is_good(outcome, expected.size() / block_bytes) ||
        machine_.process->read(scratch_unit, 0, expected.size() / block_bytes) != expected) {
      wrong(
          fmt::format("token {} does not hold what it held ({})", number_of(token), name(outcome)));
    }
  }

  // Before the process goes.
  void note_moves() {
    const CopyCounters c = manager().counters();
    met_.moved.bytes_cloned += c.bytes_cloned;
    met_.moved.bytes_copied_in_kernel += c.bytes_copied_in_kernel;
    met_.moved.bytes_copied += c.bytes_copied;
    met_.moved.bytes_zeroed += c.bytes_zeroed;
  }

  std::mt19937 random_;
  Met& met_;
};

Met live(unsigned histories, const std::string& parent) {
  const char* chosen = std::getenv("COPYMGR_SEED");
  const unsigned first = chosen == nullptr ? 1 : static_cast<unsigned>(std::atoi(chosen));
  const unsigned last = chosen == nullptr ? histories : first;
  Met met;
  for (unsigned seed = first; seed <= last; ++seed) {
    INFO("COPYMGR_SEED=" << seed);
    REQUIRE(History(seed, parent, met).run(40) == "");
  }
  return met;
}

// That the histories are still about what they were made for.
void check_met(const Met& met) {
  if (std::getenv("COPYMGR_SEED") != nullptr) return;
  CHECK(met.moved.bytes_copied > 0);
  CHECK(met.moved.bytes_zeroed > 0);
  for (const RodType type :
       {RodType::point_in_time_default, RodType::point_in_time_persistent,
        RodType::point_in_time_change_vulnerable, RodType::access_upon_reference}) {
    CHECK(met.used.count(type) == 1);
  }
  for (const TokenFault reason :
       {TokenFault::cancelled, TokenFault::expired, TokenFault::revoked, TokenFault::deleted}) {
    CHECK(met.died.count(reason) == 1);
  }
  CHECK(met.kills_in_copies > 0);
  CHECK(met.lost_for_room > 0);
  CHECK(met.stopped > 0);
}

}  // namespace

TEST_CASE("tokens and units are as the model says across kill -9 and all else", "[model]") {
  const Met met = live(::test::sanitized ? 400 : 1000, ::test::memory_directory());
  check_met(met);
}

TEST_CASE("the same where blocks are shared", "[model]") {
  const ::test::MountedXfs xfs(::test::memory_directory());
  if (!xfs.usable()) {
    WARN("SKIPPED: no XFS can be mounted here");
    return;
  }
  const Met met = live(::test::sanitized ? 60 : 150, xfs.path());
  check_met(met);
  CHECK((met.moved.bytes_cloned > 0 || std::getenv("COPYMGR_SEED") != nullptr));
}
