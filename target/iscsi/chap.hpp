// CHAP (RFC 1994 as RFC 7143 12.1.3 uses it): the target's side of one exchange, as a state machine
// over text keys. Secrets never leave this room and are compared in constant time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "base/random.hpp"
#include "target/iscsi/pdu.hpp"
#include "target/iscsi/text.hpp"

namespace iscsi {

inline constexpr std::size_t chap_secret_bytes_min = 12;          // RFC 7143 12.1.3: 96 bits
inline constexpr std::size_t chap_secret_bytes_windows_max = 16;  // Windows takes no longer one

struct ChapAccount {
  std::string name;
  std::string secret;
  std::string initiators = {};  // a glob of the initiator names that may use it; empty: any
};

// What a login has to prove. No accounts: nothing.
struct Authentication {
  std::vector<ChapAccount> initiators;  // any that this initiator may use will do
  std::optional<ChapAccount> target;    // what this side proves when asked (mutual CHAP)
  // In place of the two: any name, its secret, and what it is proven in return.
  struct Derived {
    std::string secret, targets_secret;
  };
  std::function<std::optional<Derived>(const std::string& name)> derive = {};
  std::string derived_target_name = {};

  bool required() const { return !initiators.empty() || derive; }
};

// Registered numbers of CHAP_A, strongest last; nullopt for others.
std::optional<base::HashAlgorithm> chap_algorithm(std::uint64_t number);
// The strongest number in a CHAP_A list that this side knows.
std::optional<std::uint64_t> choose_chap_algorithm(std::string_view offered);
// H(identifier, secret, challenge).
std::vector<std::uint8_t> chap_response(base::HashAlgorithm algorithm, std::uint8_t identifier,
                                        std::string_view secret, base::ByteView challenge);

class ChapExchange {
 public:
  ChapExchange(const Authentication& authentication, std::string_view initiator_name,
               base::Randomness& randomness)
      : authentication_(authentication), initiator_name_(initiator_name), randomness_(randomness) {}

  // The CHAP keys of one complete login request. Appends this side's answers. A status other than
  // success ends the login.
  LoginStatus receive(const KeyValues& keys, KeyValues& answers);
  bool proven() const { return step_ == Step::proven; }
  const std::string& name() const { return name_; }  // of the account that proved itself

 private:
  enum class Step : std::uint8_t { algorithm, response, proven };

  LoginStatus challenge(const KeyValues& keys, KeyValues& answers);
  LoginStatus check(const KeyValues& keys, KeyValues& answers);
  LoginStatus prove_ourselves(const KeyValues& keys, KeyValues& answers,
                              const std::optional<ChapAccount>& own);

  const Authentication& authentication_;
  const std::string initiator_name_;
  base::Randomness& randomness_;
  Step step_ = Step::algorithm;
  base::HashAlgorithm algorithm_ = base::HashAlgorithm::md5;
  std::uint8_t identifier_ = 0;
  std::vector<std::uint8_t> challenge_;
  std::string name_;
};

}  // namespace iscsi
