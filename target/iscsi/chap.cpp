#include "target/iscsi/chap.hpp"

#include <algorithm>
#include <array>

#include "base/glob.hpp"
#include "target/iscsi/binary_value.hpp"

namespace iscsi {
namespace {

constexpr std::size_t challenge_bytes = 32;
constexpr std::size_t challenge_bytes_max = 1024;  // of the initiator's
constexpr std::size_t response_bytes_max = 64;

struct RegisteredAlgorithm {
  std::uint64_t number;
  base::HashAlgorithm algorithm;
};
constexpr std::array<RegisteredAlgorithm, 4> registered{{{5, base::HashAlgorithm::md5},
                                                         {6, base::HashAlgorithm::sha1},
                                                         {7, base::HashAlgorithm::sha256},
                                                         {8, base::HashAlgorithm::sha3_256}}};

}  // namespace

std::optional<base::HashAlgorithm> chap_algorithm(std::uint64_t number) {
  for (const RegisteredAlgorithm& each : registered) {
    if (each.number == number) return each.algorithm;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> choose_chap_algorithm(std::string_view offered) {
  std::optional<std::uint64_t> best;
  for (const std::string_view item : split_list(offered)) {
    const auto number = parse_number(item);
    if (number && chap_algorithm(*number) && (!best || *number > *best)) best = number;
  }
  return best;
}

std::vector<std::uint8_t> chap_response(base::HashAlgorithm algorithm, std::uint8_t identifier,
                                        std::string_view secret, base::ByteView challenge) {
  return base::hash(algorithm, {base::ByteView(&identifier, 1), base::as_bytes(secret), challenge});
}

LoginStatus ChapExchange::receive(const KeyValues& keys, KeyValues& answers) {
  switch (step_) {
    case Step::algorithm:
      return challenge(keys, answers);
    case Step::response:
      return check(keys, answers);
    case Step::proven:
      return LoginStatus::success;
  }
  return LoginStatus::initiator_error;
}

LoginStatus ChapExchange::challenge(const KeyValues& keys, KeyValues& answers) {
  const std::string* offered = find_value(keys, "CHAP_A");
  if (offered == nullptr) return LoginStatus::success;  // still agreeing on the method
  const auto number = choose_chap_algorithm(*offered);
  if (!number) return LoginStatus::authentication_failure;
  algorithm_ = *chap_algorithm(*number);
  challenge_.resize(challenge_bytes);
  randomness_.fill(challenge_);
  randomness_.fill(base::ByteSpan(&identifier_, 1));
  answers.push_back({"CHAP_A", std::to_string(*number)});
  answers.push_back({"CHAP_I", std::to_string(identifier_)});
  answers.push_back({"CHAP_C", encode_binary(challenge_)});
  step_ = Step::response;
  return LoginStatus::success;
}

LoginStatus ChapExchange::check(const KeyValues& keys, KeyValues& answers) {
  const std::string* name = find_value(keys, "CHAP_N");
  const std::string* response_text = find_value(keys, "CHAP_R");
  if (name == nullptr || response_text == nullptr) return LoginStatus::authentication_failure;
  const auto response = parse_binary(*response_text, response_bytes_max);
  if (!response) return LoginStatus::authentication_failure;
  // Every account is tried, whichever matches, so that time does not tell which names exist.
  bool matches = false;
  std::vector<ChapAccount> accounts = authentication_.initiators;
  std::optional<ChapAccount> own = authentication_.target;
  if (authentication_.derive) {
    const auto derived = authentication_.derive(*name);
    if (!derived) return LoginStatus::authentication_failure;
    accounts.push_back({*name, derived->secret});
    own = ChapAccount{authentication_.derived_target_name, derived->targets_secret};
  }
  for (const ChapAccount& account : accounts) {
    const auto expected = chap_response(algorithm_, identifier_, account.secret, challenge_);
    const bool same_name =
        base::equal_in_constant_time(base::as_bytes(account.name), base::as_bytes(*name));
    const bool same_response = base::equal_in_constant_time(expected, *response);
    const bool may_use =
        account.initiators.empty() || base::matches_glob(initiator_name_, account.initiators);
    matches = matches || (same_name && same_response && may_use);
  }
  if (!matches) return LoginStatus::authentication_failure;
  const LoginStatus mutual = prove_ourselves(keys, answers, own);
  if (mutual != LoginStatus::success) return mutual;
  name_ = *name;
  step_ = Step::proven;
  return LoginStatus::success;
}

// Mutual CHAP: the initiator's challenge, if there is one, is answered. A challenge equal to our
// own would make us compute the answer that we asked for: reflection (RFC 7143 9.2.1).
LoginStatus ChapExchange::prove_ourselves(const KeyValues& keys, KeyValues& answers,
                                          const std::optional<ChapAccount>& own) {
  const std::string* identifier_text = find_value(keys, "CHAP_I");
  const std::string* challenge_text = find_value(keys, "CHAP_C");
  if (identifier_text == nullptr && challenge_text == nullptr) return LoginStatus::success;
  if (identifier_text == nullptr || challenge_text == nullptr || !own) {
    return LoginStatus::authentication_failure;
  }
  const auto identifier = parse_number(*identifier_text);
  const auto theirs = parse_binary(*challenge_text, challenge_bytes_max);
  if (!identifier || *identifier > 255 || !theirs || theirs->empty()) {
    return LoginStatus::authentication_failure;
  }
  if (base::equal_in_constant_time(*theirs, challenge_)) {
    return LoginStatus::authentication_failure;
  }
  answers.push_back({"CHAP_N", own->name});
  answers.push_back(
      {"CHAP_R", encode_binary(chap_response(algorithm_, static_cast<std::uint8_t>(*identifier),
                                             own->secret, *theirs))});
  return LoginStatus::success;
}

}  // namespace iscsi
