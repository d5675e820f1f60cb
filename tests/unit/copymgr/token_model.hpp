// What units and tokens have to be after each step of a random history: every block of the units,
// and of every token its bytes in full, its timer, and why it died.
#pragma once

#include <fmt/format.h>

#include "tests/unit/copymgr/copy_world.hpp"

namespace copymgr::test {

using scsi::RodType;
using tokens::TokenFault;
using Blocks = std::vector<base::BlockRange>;

inline constexpr std::uint64_t block_bytes = 512;

struct ModelToken {
  scsi::RodTokenBytes token{};
  RodType type{};
  std::uint64_t unit = 0;
  Blocks ranges;
  Bytes bytes;  // when it was made
  base::Duration timeout{0};
  base::Instant deadline;
  bool may_be_lost = false;  // its unit has little room for old data
  bool unsure = false;       // a write that was cut short may have been into its ranges
  std::optional<TokenFault> dead;
  base::Instant died;
};

class TokenModel {
 public:
  explicit TokenModel(const base::Clock& clock) : clock_(clock) {}

  // Empty: nothing.
  const std::string& what_is_wrong() const { return wrong_; }
  const std::map<TokenFault, int>& deaths() const { return deaths_; }

 protected:
  base::Instant now() const { return clock_.now(); }
  Bytes& data(std::uint64_t unit) { return units_[unit]; }
  std::uint64_t capacity(std::uint64_t unit) { return data(unit).size() / block_bytes; }
  void wrong(const std::string& what) {
    if (wrong_.empty()) wrong_ = what + ", after:\n" + told_;
  }
  // What happened, for who has to find out why something is wrong.
  template <typename... Values>
  void tell(const char* format, const Values&... values) {
    told_ += fmt::format(fmt::runtime(format), values...) + "\n";
  }
  static std::string name(const Blocks& blocks) {
    std::string out;
    for (const base::BlockRange& each : blocks)
      out += fmt::format(" {}+{}", each.first.value, each.count.value);
    return out;
  }
  static std::string name(const std::optional<CopyOutcome>& outcome) {
    if (!outcome) return "no outcome";
    if (*outcome) return fmt::format("{} blocks", outcome->value().value);
    const CopyFault& fault = outcome->error();
    return fmt::format("fault {}, of the token {}, {} blocks", static_cast<int>(fault.kind),
                       static_cast<int>(fault.token_fault), fault.blocks_done.value);
  }
  std::size_t number_of(const ModelToken& token) {
    return static_cast<std::size_t>(&token - tokens_.data());
  }
  static bool overlaps(const Blocks& some, const Blocks& others) {
    const auto meet = [](const base::BlockRange& a, const base::BlockRange& b) {
      return a.first.value < b.first.value + b.count.value &&
             b.first.value < a.first.value + a.count.value;
    };
    return std::any_of(some.begin(), some.end(), [&](const base::BlockRange& a) {
      return std::any_of(others.begin(), others.end(),
                         [&](const base::BlockRange& b) { return meet(a, b); });
    });
  }
  static bool is_vulnerable_to(const ModelToken& token, std::uint64_t unit,
                               const base::BlockRange& at) {
    return token.type == RodType::point_in_time_change_vulnerable && token.unit == unit &&
           overlaps({at}, token.ranges);
  }
  void overwritten(std::uint64_t unit, const base::BlockRange& at) {
    cancel_those([&](const ModelToken& token) { return is_vulnerable_to(token, unit, at); });
  }
  void doubt(std::uint64_t unit, const base::BlockRange& at) {
    for (ModelToken& token : tokens_) {
      if (is_vulnerable_to(token, unit, at)) token.unsure = true;
    }
  }

  template <typename Which>
  void cancel_those(const Which& which) {
    for (ModelToken& token : tokens_) {
      kill_if_late(token);
      if (!token.dead && which(token)) kill(token, TokenFault::cancelled);
    }
  }
  void kill(ModelToken& token, TokenFault reason) {
    ++deaths_[reason];
    token.dead = reason;
    tell("token {} dies: {}", number_of(token), static_cast<int>(reason));
    token.died = now();
  }
  void kill_if_late(ModelToken& token) {
    if (token.dead || token.deadline > now()) return;
    kill(token, TokenFault::expired);
    token.died = token.deadline;
  }
  // The reason, or none after twice the timeout; a lost snapshot may have come first.
  bool is_answer_of_dead(const ModelToken& token, const std::optional<CopyOutcome>& outcome) {
    const bool unclear = token.may_be_lost || token.unsure;
    return is_token_fault(outcome, *token.dead) ||
           (unclear && is_token_fault(outcome, TokenFault::cancelled)) ||
           (is_token_fault(outcome, TokenFault::unknown) &&
            (now() - token.died >= 2 * token.timeout || unclear));
  }

  Bytes gathered(std::uint64_t unit, const Blocks& from) {
    Bytes out;
    for (const base::BlockRange& each : from) {
      const auto first =
          data(unit).begin() + static_cast<std::ptrdiff_t>(each.first.value * block_bytes);
      out.insert(out.end(), first,
                 first + static_cast<std::ptrdiff_t>(each.count.value * block_bytes));
    }
    return out;
  }
  // Of a dead token it does not matter.
  Bytes stands_for(const ModelToken& token) {
    const bool now = token.type == RodType::access_upon_reference && !token.dead;
    return now ? gathered(token.unit, token.ranges) : token.bytes;
  }
  static Bytes from(const Bytes& bytes, std::uint64_t offset) {
    const std::size_t first = std::min(bytes.size(), offset * block_bytes);
    return {bytes.begin() + static_cast<std::ptrdiff_t>(first), bytes.end()};
  }
  void set(std::uint64_t unit, std::uint64_t lba, const std::uint8_t* bytes, std::uint64_t count) {
    std::copy_n(bytes, count * block_bytes,
                data(unit).begin() + static_cast<std::ptrdiff_t>(lba * block_bytes));
  }

  std::vector<ModelToken> tokens_;

 private:
  const base::Clock& clock_;
  std::map<std::uint64_t, Bytes> units_;
  std::map<TokenFault, int> deaths_;
  std::string told_, wrong_;
};

}  // namespace copymgr::test
