// Random histories against a model that keeps every token's bytes in full: after each step all
// volumes hold what the model says, and at the end of each history so does every live token.
#include <catch2/catch.hpp>

#include "tests/unit/copymgr/copy_world.hpp"

using namespace copymgr;
using namespace copymgr::test;
using Kind = CopyFault::Kind;
using tokens::TokenFault;

namespace {

constexpr std::uint64_t volume_blocks = 40, scratch_volume = 4;

struct ModelToken {
  scsi::RodTokenBytes token{};
  Bytes bytes;
  base::Duration timeout{0};
  base::Instant deadline;
  bool may_be_lost = false;  // its volume has little room for old data
  std::optional<TokenFault> dead;
  base::Instant died;
};

class History {
 public:
  explicit History(unsigned seed)
      : seed_(seed), random_(seed), world_(CopyWorld::small_steps(), seed) {
    for (std::uint64_t id = 1; id <= 3; ++id) {
      // One of the volumes has little room for old data.
      volumes_.push_back(std::make_unique<TestVolume>(
          id, volume_blocks, base::ByteCount(is_tight(id) ? 8192 : 1 << 20)));
      world_.manager.attach(volumes_.back()->volume);
      model_.push_back(volumes_.back()->all());
    }
    world_.manager.attach(scratch_.volume);
  }

  // Empty when all was as the model says.
  std::string run(int steps) {
    for (int i = 0; i < steps && wrong_.empty(); ++i) {
      step();
      for (std::size_t v = 0; v < volumes_.size() && wrong_.empty(); ++v) {
        if (volumes_[v]->all() != model_[v])
          wrong_ = "volume " + std::to_string(v + 1) + " differs";
      }
    }
    for (ModelToken& token : tokens_) {
      if (wrong_.empty()) check_whole(token);
    }
    const auto c = world_.manager.token_counters();
    if (c.created != c.live + c.expired + c.cancelled + c.revoked + c.deleted + c.evicted) {
      wrong_ = "the counts do not add up";
    }
    return wrong_;
  }

 private:
  bool is_tight(std::uint64_t volume_id) const { return volume_id == 3 && seed_ % 4 == 0; }
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  // Up to four ranges that do not overlap, in any order.
  std::vector<base::BlockRange> ranges(std::uint64_t at_most) {
    std::vector<base::BlockRange> out;
    std::uint64_t lba = below(6), left = at_most;
    for (std::uint64_t n = 1 + below(4); n > 0 && lba < volume_blocks && left > 0; --n) {
      const std::uint64_t count = std::min({1 + below(9), volume_blocks - lba, left});
      out.push_back(range(lba, count));
      left -= count;
      lba += count + below(4);
    }
    std::shuffle(out.begin(), out.end(), random_);
    return out;
  }

  void step() {
    switch (below(8)) {
      case 0:
      case 1:
        return host_write();
      case 2:
        return populate();
      case 3:
      case 4:
      case 5:
        return write_using_token();
      case 6:
        return administer();
      case 7:
        return world_.clock.advance(base::Duration(1s) * below(4)), world_.manager.expire();
    }
  }

  void host_write() {
    const std::uint64_t v = below(3), lba = below(volume_blocks),
                        count = 1 + below(volume_blocks - lba);
    const Bytes bytes(count * 512, static_cast<std::uint8_t>(random_()));
    volumes_[v]->write(lba, bytes);
    std::copy(bytes.begin(), bytes.end(),
              model_[v].begin() + static_cast<std::ptrdiff_t>(lba * 512));
  }

  void populate() {
    const std::uint64_t v = below(3);
    const auto source = ranges(volume_blocks);
    ModelToken made;
    const auto timeout = static_cast<std::uint32_t>(1 + below(9));
    for (const base::BlockRange& r : source) {
      const auto from = model_[v].begin() + static_cast<std::ptrdiff_t>(r.first.value * 512);
      made.bytes.insert(made.bytes.end(), from,
                        from + static_cast<std::ptrdiff_t>(r.count.value * 512));
    }
    made.token = world_.populate(v + 1, source, timeout);
    made.timeout = std::chrono::seconds(timeout);
    made.deadline = world_.clock.now() + made.timeout;
    made.may_be_lost = is_tight(v + 1);
    if (!is_good(world_.populated, made.bytes.size() / 512)) wrong_ = "populate failed";
    tokens_.push_back(made);
  }

  void administer() {
    if (tokens_.empty()) return;
    ModelToken& token = tokens_[below(tokens_.size())];
    kill_if_late(token);
    const bool revoked = world_.manager.token_table().revoke(scsi::identifier_of(token.token));
    if (revoked && token.dead) wrong_ = "a dead token was revoked";
    if (!revoked && !token.dead && !token.may_be_lost) wrong_ = "a live token was not revoked";
    if (revoked) kill(token, TokenFault::revoked);
  }

  void kill(ModelToken& token, TokenFault reason) {
    token.dead = reason;
    token.died = world_.clock.now();
  }
  void kill_if_late(ModelToken& token) {
    if (token.dead || token.deadline > world_.clock.now()) return;
    kill(token, TokenFault::expired);
    token.died = token.deadline;
  }
  // The reason, or none after twice the timeout; a lost snapshot may have come first.
  bool is_answer_of_dead(const ModelToken& token, const std::optional<CopyOutcome>& outcome) {
    return is_token_fault(outcome, *token.dead) ||
           (token.may_be_lost && is_token_fault(outcome, TokenFault::cancelled)) ||
           (is_token_fault(outcome, TokenFault::unknown) &&
            (world_.clock.now() - token.died >= 2 * token.timeout || token.may_be_lost));
  }

  void write_using_token() {
    if (tokens_.empty()) return;
    ModelToken& token = tokens_[below(tokens_.size())];
    const std::uint64_t have = token.bytes.size() / 512, offset = below(have + 2), v = below(3);
    const auto destination = ranges(below(4) == 0 ? volume_blocks : have - std::min(have, offset));
    if (destination.empty()) return;
    interrupt(v);
    const bool delete_token = below(8) == 0;
    kill_if_late(token);
    const auto outcome = world_.write(v + 1, token.token, destination, offset, delete_token);
    volumes_[v]->faults->before_write = nullptr;
    volumes_[v]->faults->fail_write = 0;
    judge(token, v, destination, offset, *outcome);
    if (*outcome && delete_token) kill(token, TokenFault::deleted);
    if (!token.dead) token.deadline = world_.clock.now() + token.timeout;
  }

  // Now and then something gets in the way of the nth write.
  void interrupt(std::uint64_t v) {
    FaultStore& faults = *volumes_[v]->faults;
    const std::uint64_t nth = 1 + below(10), what = below(6);
    if (what == 0) faults.fail_write = static_cast<std::int64_t>(nth);
    if (what > 2 || what == 0) return;
    faults.before_write = [this, v, what, left = nth]() mutable {
      if (--left != 0) return;
      if (what == 1) world_.clock.advance(4s);
      if (what == 2) world_.manager.abort(key(v + 1), [] {});
    };
  }

  void judge(ModelToken& token, std::uint64_t v, const std::vector<base::BlockRange>& destination,
             std::uint64_t offset, const CopyOutcome& outcome) {
    const std::uint64_t have = token.bytes.size() / 512;
    std::uint64_t asked = 0;
    for (const base::BlockRange& r : destination)
      asked += r.count.value;
    if (token.dead) {
      if (!is_answer_of_dead(token, outcome)) wrong_ = "a dead token was taken";
      return;
    }
    if (is_token_fault(outcome, TokenFault::cancelled)) {
      kill(token, TokenFault::cancelled);
      if (!token.may_be_lost) wrong_ = "cancelled without need";
      return;
    }
    const bool fits = offset < have && asked <= have - offset;
    if (!fits) {
      const Kind expected = offset >= have ? Kind::offset_beyond_token : Kind::beyond_token;
      if (!is_fault(outcome, expected, 0)) wrong_ = "it cannot fit, and was not refused";
      return;
    }
    const std::uint64_t done = outcome ? outcome->value : outcome.error().blocks_done.value;
    if (outcome ? done != asked : done >= asked) wrong_ = "a wrong count";
    apply(token, v, destination, offset, outcome ? asked : done, outcome.has_value());
  }

  void apply(const ModelToken& token, std::uint64_t v,
             const std::vector<base::BlockRange>& destination, std::uint64_t offset,
             std::uint64_t done, bool complete) {
    std::uint64_t n = 0;
    for (const base::BlockRange& r : destination) {
      for (std::uint64_t i = 0; i < r.count.value; ++i, ++n) {
        const auto to = static_cast<std::ptrdiff_t>((r.first.value + i) * 512);
        const auto from = token.bytes.begin() + static_cast<std::ptrdiff_t>((offset + n) * 512);
        if (n < done) std::copy_n(from, 512, model_[v].begin() + to);
        // The step that failed may have written part of its two blocks; no more than that.
        const Bytes now = volumes_[v]->read(r.first.value + i, 1);
        if (!complete && n >= done && n < done + 2 && std::equal(now.begin(), now.end(), from)) {
          std::copy_n(from, 512, model_[v].begin() + to);
        }
      }
    }
  }

  void check_whole(ModelToken& token) {
    kill_if_late(token);
    const std::uint64_t have = token.bytes.size() / 512;
    const auto outcome = world_.write(scratch_volume, token.token, {range(0, have)});
    if (token.may_be_lost && is_token_fault(outcome, TokenFault::cancelled)) return;
    if (token.may_be_lost && is_token_fault(outcome, TokenFault::unknown)) return;
    if (token.dead) {
      if (!is_answer_of_dead(token, outcome)) wrong_ = "a dead token was taken at the end";
    } else if (!is_good(outcome, have) || scratch_.read(0, have) != token.bytes) {
      wrong_ = "a token does not hold what it held";
    }
  }

  const unsigned seed_;
  std::mt19937 random_;
  CopyWorld world_;
  std::vector<std::unique_ptr<TestVolume>> volumes_;
  TestVolume scratch_{scratch_volume, volume_blocks};
  std::vector<Bytes> model_;
  std::vector<ModelToken> tokens_;
  std::string wrong_;
};

}  // namespace

TEST_CASE("Thousands of random histories leave what the model says", "[model]") {
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    const std::string wrong = History(seed).run(30);
    CAPTURE(seed);
    REQUIRE(wrong == "");
  }
}
